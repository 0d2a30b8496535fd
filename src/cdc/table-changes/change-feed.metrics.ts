import { Counter } from 'prom-client';

export const unreadableChanges = new Counter({
  name: 'webook_capture_unreadable_changes_total',
  help: 'Captured changes without a column that is needed, or with a value of another kind; what is derived from them was read again',
  labelNames: ['group', 'table'] as const,
});
