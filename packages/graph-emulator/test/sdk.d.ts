/** The parts of Meta's SDK that the tests use; it comes without types. */
declare module 'facebook-nodejs-business-sdk' {
  export class FacebookAdsApi {
    static readonly VERSION: string
    static init(accessToken: string, locale?: string, crashLog?: boolean): FacebookAdsApi
    call(method: string, path: string[], params?: object): Promise<Record<string, unknown>>
  }
  export interface Row {
    readonly id: string
    readonly name: string
    readonly access_token: string
  }
  export interface Cursor extends Array<Row> {
    hasNext(): boolean
    next(): Promise<Cursor>
    hasPrevious(): boolean
    previous(): Promise<Cursor>
  }
  export class User {
    constructor(id: string, data?: object, parentId?: string, api?: FacebookAdsApi)
    getAccounts(fields: string[], params?: object): Promise<Cursor>
    get(fields: string[]): Promise<Row>
  }
  export class Page {
    constructor(id: string, data?: object, parentId?: string, api?: FacebookAdsApi)
    get(fields: string[]): Promise<Row>
  }
}
