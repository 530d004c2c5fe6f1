import * as form from './forms.ts'
import type { Variable } from './variable.ts'

/** Where the platforms are, and who we are there. */
export const PLATFORM_VARIABLES = {
  PLC_URL: {
    section: 'Bluesky',
    schema: form.webAddress(),
    default: 'https://plc.directory',
    description: 'The directory that tells where a Bluesky account lives.',
  },
  ALLOWED_PRIVATE_HOSTS: {
    section: 'Bluesky',
    schema: form.hostList(),
    default: '',
    description: 'Hosts that users may name though they are in a private network, or speak plain http.',
  },
  APP_ID: {
    section: 'Meta',
    schema: form.digits(),
    description: 'Id of the app at Meta that accounts are connected through. Without it Meta is off.',
  },
  APP_SECRET: { section: 'Meta', schema: form.text(), secret: true, description: 'Secret of the app, with APP_ID.' },
  META_GRAPH_URL: {
    section: 'Meta',
    schema: form.webAddress(),
    default: 'https://graph.facebook.com',
    description: 'Where the Graph API is.',
  },
  META_GRAPH_VERSION: {
    section: 'Meta',
    schema: form.graphVersion(),
    default: 'v26.0',
    description: 'Version of the Graph API. Meta answers for one that has expired by a later one; a warning tells.',
  },
  META_DIALOG_URL: {
    section: 'Meta',
    schema: form.webAddress(),
    default: 'https://www.facebook.com',
    description: 'Where users log in.',
  },
  INSTAGRAM_APP_ID: {
    section: 'Instagram',
    schema: form.digits(),
    description: 'Id of the app at Instagram, which is not that of Meta. Without it Instagram is off.',
  },
  INSTAGRAM_APP_SECRET: {
    section: 'Instagram',
    schema: form.text(),
    secret: true,
    description: 'Secret of the app, with INSTAGRAM_APP_ID.',
  },
  INSTAGRAM_GRAPH_URL: {
    section: 'Instagram',
    schema: form.webAddress(),
    default: 'https://graph.instagram.com',
    description: 'Where long-lived tokens are got and refreshed.',
  },
  INSTAGRAM_API_URL: {
    section: 'Instagram',
    schema: form.webAddress(),
    default: 'https://api.instagram.com',
    description: 'Where login codes are exchanged.',
  },
  INSTAGRAM_DIALOG_URL: {
    section: 'Instagram',
    schema: form.webAddress(),
    default: 'https://www.instagram.com',
    description: 'Where users log in.',
  },
  THREADS_APP_ID: {
    section: 'Threads',
    schema: form.digits(),
    description: 'Id of the app at Threads, which is not that of Meta. Without it Threads is off.',
  },
  THREADS_APP_SECRET: {
    section: 'Threads',
    schema: form.text(),
    secret: true,
    description: 'Secret of the app, with THREADS_APP_ID.',
  },
  THREADS_GRAPH_URL: {
    section: 'Threads',
    schema: form.webAddress(),
    default: 'https://graph.threads.net',
    description: 'Where the Threads API is.',
  },
  THREADS_DIALOG_URL: {
    section: 'Threads',
    schema: form.webAddress(),
    default: 'https://threads.net',
    description: 'Where users log in.',
  },
} as const satisfies Record<string, Variable>
