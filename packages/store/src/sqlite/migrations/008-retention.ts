/** What is pruned is found by its time; the other kinds have such an index already. */
export const retention = `
CREATE INDEX runs_finished ON runs (finished_at, id) WHERE finished_at IS NOT NULL;
`
