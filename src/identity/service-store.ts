import type {
  NewService,
  NewServiceToken,
  ReplacedToken,
  StoredService,
  StoredServiceToken,
} from '../domain/stored/service.ts';

/** Programs with an identity of their own. Their tokens are sessions, each with one credential. */
export interface ServiceStore {
  /** `taken`: there is one of this name. `full`: there are `most` of them. */
  create(service: NewService, most: number): Promise<'created' | 'taken' | 'full'>;
  find(name: string): Promise<StoredService | undefined>;
  /** By name, only those after `after`; with their live tokens, newest first. */
  list(
    nowMs: number,
    limit: number,
    after?: string,
  ): Promise<readonly (StoredService & { readonly tokens: readonly StoredServiceToken[] })[]>;
  /** `undefined`: enabled again. False when there is none. What is open is not ended by this. */
  disable(name: string, disabledAt: number | undefined): Promise<boolean>;
  findToken(name: string, id: string, nowMs: number): Promise<StoredServiceToken | undefined>;
  /**
   * A further token, instead of which the one that it `replaces`, if any, ends at a time or sooner. `gone`: the service
   * is disabled or that token is over. `full`: it has `most` live ones.
   */
  addToken(
    token: NewServiceToken,
    replaces: ReplacedToken | undefined,
    most: number,
  ): Promise<'added' | 'gone' | 'full'>;
}
