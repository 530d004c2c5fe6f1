export { healthRoutes } from './health-routes.ts'
export { startHealthServer } from './start-health-server.ts'
