/// Words that several rooms share.
export const rooms = {
  'rooms.copy': 'Copy {what}',
  'rooms.copyFailed': 'The browser did not allow copying. Select the text and copy it by hand.',
  'rooms.missing': 'This program does not have this part.',
  'rooms.forbidden': 'Your key does not allow this.',
  'rooms.reload': 'Reload',
  'rooms.more': 'Load more',
  'rooms.back': 'Back to the list',
  'rooms.any': 'All',
  'rooms.none': 'None',
  'rooms.chartMost': 'At most {most} since this room was opened',
  'rooms.chartWaiting': 'Two readings are needed for a line',
  'rooms.filter': 'Filter',
};
