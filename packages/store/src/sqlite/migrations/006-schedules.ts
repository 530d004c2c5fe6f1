/** And runs of several platforms; what was last taken stands in the schedule now, so its marker among the runs goes. */
export const schedules = `
CREATE TABLE schedules (
  id TEXT NOT NULL PRIMARY KEY,
  pattern TEXT NOT NULL,
  tz TEXT NOT NULL,
  platforms TEXT NOT NULL,
  run_limit INTEGER,
  started_runs INTEGER NOT NULL,
  is_on INTEGER NOT NULL,
  last_occurrence INTEGER,
  pending INTEGER,
  changed_at INTEGER NOT NULL,
  pinned_by TEXT NOT NULL
);

UPDATE runs
  SET filter = json_remove(json_set(filter, '$.platforms', json_array(filter ->> '$.platform')), '$.platform')
  WHERE filter ->> '$.platform' IS NOT NULL;
DELETE FROM runs WHERE occurrence = 'first-seen';
`
