/**
 * `refresh`: bulk, what falls due and refresh-all. `refresh-now`: recovery, what a person asked for and what is urgent,
 * with concurrency of its own. `schedule`: ticks and the steps of runs.
 * Only Begin's compare-and-set keeps two queues from refreshing one account at once.
 */
export type QueueName = 'refresh' | 'refresh-now' | 'schedule'
export type RefreshQueueName = Exclude<QueueName, 'schedule'>
