import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { RegulonError } from '@regulon/shared/errors';
import type { AccountFacts, IdentityProvider, ProviderChallenge, Session, SetupCode } from '../auth/index.js';
import type { Role } from '../identity/index.js';
import { Allow, AllowAll, type CalledRequest, callerOf, doerOf, OpenRoute, tokenOf } from './access.guard.js';
import { API_CONTEXT, type ApiContext } from './context.js';
import {
  activationSchema,
  credentialsSchema,
  idTokenSchema,
  newAccountSchema,
  parseBody,
} from './requests.js';

/** Who is logged in. */
export interface WhoAmI {
  readonly name: string;
  /** null: the token file */
  readonly role: Role | null;
}

/** Accounts and sessions of people. No logic. */
@Controller('api/v1')
export class AccountsController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get('accounts')
  @Allow('operator')
  list(): { readonly accounts: readonly AccountFacts[] } {
    return { accounts: this.context.accounts.list() };
  }

  @Post('accounts')
  @Allow('operator')
  add(@Body() body: unknown, @Req() request: CalledRequest): SetupCode | { readonly added: string } {
    const { accounts, deeds } = this.context;
    const { name, role, subject } = parseBody(newAccountSchema, body);
    const known = subject === undefined ? undefined : this.provider().subjectOf(subject);
    return deeds.act(doerOf(callerOf(request)), (write) => {
      const code = known === undefined ? accounts.add(name, role) : undefined;
      if (known !== undefined) accounts.addOfProvider(name, role, known);
      write('account.add', accounts.idOf(name));
      return code ?? { added: name };
    });
  }

  @Post('accounts/:name/reset')
  @HttpCode(200)
  @Allow('operator')
  reset(@Param('name') name: string, @Req() request: CalledRequest): SetupCode {
    const { accounts, deeds } = this.context;
    return deeds.act(doerOf(callerOf(request)), (write) => {
      write('account.reset', accounts.idOf(name));
      return accounts.reset(name);
    });
  }

  @Delete('accounts/:name')
  @Allow('operator')
  remove(@Param('name') name: string, @Req() request: CalledRequest): { readonly removed: string } {
    const { accounts, deeds } = this.context;
    return deeds.act(doerOf(callerOf(request)), (write) => {
      write('account.remove', accounts.idOf(name));
      accounts.remove(name);
      return { removed: name };
    });
  }

  @Post('activations')
  @HttpCode(200)
  @OpenRoute()
  async activate(@Body() body: unknown): Promise<{ readonly secondFactor: string | null }> {
    const { name, setupCode, password } = parseBody(activationSchema, body);
    return { secondFactor: await this.context.accounts.activate(name, setupCode, password) };
  }

  @Post('session')
  @HttpCode(200)
  @OpenRoute()
  login(@Body() body: unknown): Promise<Session> {
    return this.context.accounts.login(parseBody(credentialsSchema, body));
  }

  @Post('session/challenge')
  @HttpCode(200)
  @OpenRoute()
  challenge(): ProviderChallenge {
    return this.provider().challenge();
  }

  @Post('session/proved')
  @HttpCode(200)
  @OpenRoute()
  async loginOfProvider(@Body() body: unknown): Promise<Session> {
    const { idToken } = parseBody(idTokenSchema, body);
    return this.context.accounts.loginOfProvider(await this.provider().identityOf(idToken));
  }

  @Get('session')
  @AllowAll()
  whoAmI(@Req() request: CalledRequest): WhoAmI {
    const { name, role } = callerOf(request);
    return { name, role };
  }

  @Delete('session')
  @AllowAll()
  logout(@Req() request: CalledRequest): { readonly ended: true } {
    const { accounts, deeds } = this.context;
    const caller = callerOf(request);
    if (caller.role === null)
      throw new RegulonError(
        'E_ARGUMENT',
        'the token file of the coordinator is no session: nothing has ended',
      );
    return deeds.act(doerOf(caller), (write) => {
      accounts.logout(tokenOf(request));
      write('session.end', caller.id);
      return { ended: true };
    });
  }

  private provider(): IdentityProvider {
    const { provider } = this.context;
    if (provider) return provider;
    throw new RegulonError('E_NOT_FOUND', 'this coordinator knows no OpenID provider', {
      hint: 'log in with the password of your account: `regulon login --account NAME`',
    });
  }
}
