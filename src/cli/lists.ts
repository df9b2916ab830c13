/** What the lists of connections have in common. */
export const listOptions = {
  broker: { type: 'string', requiresArg: true, describe: 'Only this broker' },
  state: { type: 'string', requiresArg: true, describe: 'Only this state' },
  limit: { type: 'number', default: 1000, requiresArg: true, describe: 'At most so many' },
} as const;

export function leftOut(total: number, shown: number): string[] {
  return shown < total ? [`${total - shown} more: raise --limit`] : [];
}
