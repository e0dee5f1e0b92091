import type { rooms as words } from '../en/rooms';

export const rooms: Record<keyof typeof words, string> = {
  'rooms.copy': '复制{what}',
  'rooms.copyFailed': '浏览器不允许复制，请选中文字后手动复制。',
  'rooms.missing': '本程序没有这一部分。',
  'rooms.forbidden': '您的密钥无权查看。',
  'rooms.reload': '重新加载',
  'rooms.more': '加载更多',
  'rooms.back': '返回列表',
  'rooms.any': '全部',
  'rooms.none': '无',
  'rooms.chartMost': '打开本页以来最高 {most}',
  'rooms.chartWaiting': '读取两次后开始画线',
  'rooms.filter': '筛选',
};
