import type { DocumentInfo } from '../../api/types';

export function formatBytes(bytes: number, locale: string): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toLocaleString(locale, { maximumFractionDigits: unit === 0 || value >= 100 ? 0 : 1 })} ${units[unit]}`;
}

export function formatMs(ms: number, locale: string): string {
  if (ms < 1000) return `${Math.round(ms).toLocaleString(locale)} ms`;
  return `${(ms / 1000).toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s`;
}

/// The short format name on a document's tile.
export function formatTag(document: Pick<DocumentInfo, 'path' | 'media_type'>): string {
  const extension = /\.([A-Za-z0-9]{1,5})$/.exec(document.path)?.[1];
  if (extension) return extension.toUpperCase();
  return document.media_type.split('/').at(-1)?.slice(0, 5).toUpperCase() ?? '';
}

export const isPdf = (mediaType: string): boolean => mediaType.split(';')[0]?.trim() === 'application/pdf';
