import { z } from 'zod';
import { providerUrl } from '../identity/index.js';

const port = z.int().min(0).max(65_535);
const path = z.string().min(1);
const seconds = z
  .number()
  .positive()
  .max(30 * 86_400);

/** Where a crash test may stop the process: right after one of these steps of a round was persisted, in their order. */
export const crashSteps = [
  'opened',
  'advertise',
  'u1',
  'share',
  'u2',
  'upload',
  'commit',
  'u3',
  'consistency',
  'r4',
  'answer',
  'unmasked',
  'folded',
  'stepped',
  'closed',
] as const;
export type CrashStep = (typeof crashSteps)[number];

/**
 * Configuration of a coordinator: one YAML file, unknown keys refused. Relative paths count from the file's folder.
 */
export const configSchema = z.strictObject({
  schema: z.literal('regulon.coordinator/1'),
  /** folder with roster.json, genesis.json, quorum.policy */
  federation: path,
  /** database, blobs, spools and log tiles; belongs to one process */
  stateFolder: path,
  /** files of 32-byte Ed25519 seeds in hexadecimal, mode 0600: statement key CK, and the key that signs checkpoints */
  keys: z.strictObject({ statement: path, log: path }),
  tls: z.strictObject({ cert: path, key: path, ca: path }),
  /** key of the federation's authority, mode 0600, and how long its certificates hold; without it the founder sends them */
  authority: z.strictObject({ key: path, days: z.int().min(1).max(398) }).optional(),
  listen: z
    .strictObject({
      /** address of the two gRPC servers; REST always listens on loopback */
      host: z.string().default('127.0.0.1'),
      /** 0 = any free port, told in the ready line */
      controlPort: port.default(0),
      bulkPort: port.default(0),
      httpPort: port.default(0),
    })
    .prefault({}),
  /** file that holds the bearer token of the REST API, mode 0600 */
  bearerTokenFile: path,
  /** people may log in at this OpenID provider too; see ProviderConfig */
  oidc: z
    .strictObject({
      issuer: providerUrl,
      clientId: z.string().min(1).max(200),
      secondFactor: z.string().min(1).max(100).optional(),
    })
    .optional(),
  rounds: z
    .strictObject({
      /** stage deadlines; absent = 120 s each, and the plan's roundDeadlineSeconds for masked input */
      stageSeconds: z
        .strictObject({
          advertise: seconds.optional(),
          share: seconds.optional(),
          input: seconds.optional(),
          consistency: seconds.optional(),
          unmask: seconds.optional(),
        })
        .prefault({}),
      /** a site disconnected for so long counts as gone from the stage */
      departureSeconds: seconds.default(60),
      /** how long a round waits for absent sites once enough others are connected */
      gatherSeconds: seconds.default(30),
      /** attempts that spent an upload before the run fails */
      maxAttempts: z.int().min(1).max(10).default(3),
      leases: z.int().min(1).max(1000).default(16),
      leaseSeconds: seconds.default(60),
    })
    .prefault({}),
  retention: z
    .strictObject({
      /**
       * masked vectors: removed when the next round closes or the next run has started, or kept for a full audit, and with
       * them every model of a run
       */
      spools: z.enum(['next-close', 'keep']).default('next-close'),
      /** audit window: rounds of a run whose masked vectors stay while it goes on, the last one among them */
      auditRounds: z.int().min(1).max(10_000).default(1),
      /** sums of closed rounds: removed when the next run has started, or kept */
      aggregates: z.enum(['run', 'keep']).default('keep'),
    })
    .prefault({}),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** refuse the section `testing` unless true */
  allowTesting: z.boolean().default(false),
  /** for crash tests only */
  testing: z
    .strictObject({
      /** id of the next proposed run, 32 hexadecimal digits */
      runId: z
        .string()
        .regex(/^[0-9a-f]{32}$/)
        .optional(),
      /** kill this process, once in the life of its state folder, right after the named step; `step#round` names the round */
      crashAt: z
        .string()
        .regex(new RegExp(`^(${crashSteps.join('|')})(#\\d+)?$`))
        .optional(),
    })
    .optional(),
});

/** A configuration that was read, defaults filled in. */
export type Config = z.infer<typeof configSchema>;
