/** gRPC status names used on the wire; the numbers are grpc-js's own. */
type GrpcStatus =
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'RESOURCE_EXHAUSTED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'ABORTED'
  | 'INTERNAL'
  | 'DATA_LOSS';

interface Registration {
  /** status on the wire */
  readonly grpc: GrpcStatus;
  /** exit code of the command line: 1 refused, 2 connection, 3 deadline, 4 arguments or configuration, 5 internal */
  readonly exit: 1 | 2 | 3 | 4 | 5;
  /** what the person can do next, when the place that throws knows nothing better */
  readonly next: string;
  readonly retryable?: boolean;
}

const code = (
  grpc: GrpcStatus,
  exit: Registration['exit'],
  next: string,
  retryable = false,
): Registration => ({ grpc, exit, next, retryable });

/** Every error code of the project; a code is never reused for something else. */
export const registry = {
  E_INTERNAL: code('INTERNAL', 5, 'this is a defect: report it with the log of this process'),
  // configuration, plans, arguments
  E_CONFIG: code('INVALID_ARGUMENT', 4, 'correct the named key in the configuration file'),
  E_PLAN: code(
    'INVALID_ARGUMENT',
    4,
    'correct the plan at the named path; `regulon plan validate FILE` checks it',
  ),
  E_ARGUMENT: code('INVALID_ARGUMENT', 4, 'see `regulon --help`'),
  E_NOT_FOUND: code('NOT_FOUND', 1, 'list what exists and try again'),
  E_PRUNED: code(
    'NOT_FOUND',
    1,
    'read from the minimum index on; older entries are with those who kept a copy',
  ),
  E_ENVIRONMENT: code('FAILED_PRECONDITION', 4, 'install what is named, then run the command again'),
  // hospital data
  E_DATA_FORMAT: code('INVALID_ARGUMENT', 1, 'correct the named file at the named row and column'),
  E_DATA_NOT_FINITE: code(
    'INVALID_ARGUMENT',
    1,
    'replace the value at the named row and column by a number or a declared missing mark',
  ),
  E_DATA_DUPLICATE: code('INVALID_ARGUMENT', 1, 'make the named identifiers unique'),
  E_DATA_IDENTIFIER: code(
    'PERMISSION_DENIED',
    1,
    'leave the column out, or replace what identifies persons by pseudonyms',
  ),
  E_DATA_SCALE: code('INVALID_ARGUMENT', 1, 'declare the scale that the file really has'),
  E_LABEL: code('INVALID_ARGUMENT', 1, 'correct the label table or the rules of the plan'),
  E_LABEL_MISSING: code(
    'INVALID_ARGUMENT',
    1,
    'add the missing units to the label table or remove them from the matrix',
  ),
  E_PANEL: code(
    'FAILED_PRECONDITION',
    1,
    'bring the gene panel of the named site into the order of the others',
  ),
  E_UNITS: code('FAILED_PRECONDITION', 1, 'use more units: a released sum covers at least 5'),
  E_DESIGN: code(
    'FAILED_PRECONDITION',
    1,
    'leave the covariate out, or join its small levels, in the design of the plan',
  ),
  // secure aggregation (names as in the protocol)
  E_POLICY: code('PERMISSION_DENIED', 1, 'compare the plan with the policy of the site'),
  E_ROSTER: code('PERMISSION_DENIED', 1, 'check the roster with the administrators of the federation'),
  E_INVITATION: code('PERMISSION_DENIED', 1, 'ask the founder of the federation for a new invitation'),
  E_REPLAY: code(
    'FAILED_PRECONDITION',
    1,
    'a sum is asked for twice: if training left the model unchanged, raise the learning rate; else tell the administrators',
  ),
  E_MODEL: code(
    'FAILED_PRECONDITION',
    1,
    'the coordinator announced a model that does not follow from the rounds: tell the administrators',
  ),
  E_FORK: code(
    'FAILED_PRECONDITION',
    1,
    'the log has two histories: keep the evidence and tell the administrators',
  ),
  E_COHORT: code('FAILED_PRECONDITION', 1, 'wait until more sites are connected', true),
  E_SIG_MANIFEST: code('PERMISSION_DENIED', 1, 'the coordinator statement key does not match the roster'),
  E_SIG_R0: code('PERMISSION_DENIED', 1, 'keys were replaced on the way: tell the administrators'),
  E_SIG_R1: code('PERMISSION_DENIED', 1, 'shares were replaced on the way: tell the administrators'),
  E_LOW_ORDER: code('PERMISSION_DENIED', 1, 'a site sent a weak key: tell the administrators'),
  E_SHARE: code(
    'ABORTED',
    1,
    'a share could not be opened; the attempt is repeated without the site in dispute',
    true,
  ),
  E_U3: code('PERMISSION_DENIED', 1, 'the survivor set is not acceptable; nothing was revealed'),
  E_CONSISTENCY: code(
    'PERMISSION_DENIED',
    1,
    'too few sites confirm the same survivors; nothing was revealed',
  ),
  E_STATE: code('FAILED_PRECONDITION', 1, 'the message is out of order; the round goes on without it'),
  E_SIG_R2: code('PERMISSION_DENIED', 1, 'the upload is not signed by its site'),
  E_SIG_R3: code('PERMISSION_DENIED', 1, 'the confirmation is not signed by its site'),
  E_SIG_R4: code('PERMISSION_DENIED', 1, 'the answer is not signed by its site'),
  E_DEALER: code(
    'ABORTED',
    1,
    'the named site dealt wrong shares, provably; its administrators have the evidence',
  ),
  E_RING_BOUND: code('FAILED_PRECONDITION', 1, 'choose a smaller Q or fewer fraction bits'),
  E_FAULT: code(
    'FAILED_PRECONDITION',
    1,
    'one or more sites met a value outside the declared bounds; their own logs say which',
  ),
  E_CEILING: code(
    'ABORTED',
    1,
    'the sum is longer than honest updates can make it: a site may be poisoning the run; look at the participants, then reopen the round or propose the plan again',
  ),
  E_OUTLIER: code(
    'ABORTED',
    1,
    'a part of the sum stands out from earlier rounds: a site may be poisoning the run; look at the participants, then reopen the round or propose the plan again',
  ),
  E_WORSENED: code(
    'ABORTED',
    1,
    'the held-out loss rose further than evaluation.maxWorsening allows: no model of the run is taken; look for poisoned or broken data, then propose the plan again',
  ),
  E_NOT_FINITE: code('FAILED_PRECONDITION', 1, 'training produced NaN or infinity: lower the learning rate'),
  E_IMPRINT: code(
    'FAILED_PRECONDITION',
    1,
    'the weights would copy patients into the update: nothing was trained; tell the administrators',
  ),
  E_CLIP_NORM: code('INVALID_ARGUMENT', 4, 'use a positive clip norm'),
  E_GATE: code('FAILED_PRECONDITION', 1, 'the log does not cover the earlier round; nothing was sent', true),
  E_RUN_ABORTED: code('ABORTED', 1, 'read the reason in `regulon run show`'),
  // differential privacy
  E_PRIVACY: code(
    'INVALID_ARGUMENT',
    4,
    'correct the named parameter: z and steps above 0, q in (0, 1], 0 < δ < 1 / (number of units)',
  ),
  E_BUDGET: code(
    'PERMISSION_DENIED',
    1,
    'see `regulon site budget`; spent privacy does not come back, and only the policy of the site may allow more',
  ),
  E_LEDGER: code(
    'FAILED_PRECONDITION',
    1,
    'keep the state folder as it is and tell the steward: nothing is released until the ledger is whole again',
  ),
  // training
  E_TRAINER_CRASH: code(
    'INTERNAL',
    1,
    'the daemon starts it again by itself; if it goes on, pin another backend in its configuration',
    true,
  ),
  E_TRAINER_OOM: code(
    'RESOURCE_EXHAUSTED',
    1,
    'raise the memory limit of the site or choose a smaller model',
  ),
  E_TRAINER_TIMEOUT: code(
    'DEADLINE_EXCEEDED',
    3,
    'raise the round deadline or choose a faster backend',
    true,
  ),
  E_LOSS_NOT_FINITE: code(
    'FAILED_PRECONDITION',
    1,
    'lower the learning rate, or check the preparation of the data',
  ),
  E_DEVICE_LOST: code(
    'UNAVAILABLE',
    1,
    'check the accelerator; the CPU can be pinned in the configuration',
    true,
  ),
  E_BACKEND: code('FAILED_PRECONDITION', 1, 'no training backend passed its self-test: see `regulon doctor`'),
  E_BACKEND_DRIFT: code(
    'INTERNAL',
    1,
    'a backend that was right computes wrongly now: check memory, CPU and accelerator before this site trains again',
  ),
  E_CATALOGUE: code(
    'FAILED_PRECONDITION',
    4,
    'upgrade this program, or write the plan for the older catalogue of models',
  ),
  E_MODEL_SHAPE: code('INVALID_ARGUMENT', 4, 'correct the layer that is named in the plan'),
  // connection and transport
  E_CONNECTION: code(
    'UNAVAILABLE',
    2,
    'check the address, the network and the certificate of the coordinator',
    true,
  ),
  E_CERTIFICATE: code('UNAUTHENTICATED', 2, 'renew or replace the certificate'),
  E_TLS_VERSION: code('FAILED_PRECONDITION', 2, 'TLS 1.3 is required end to end'),
  E_CLOCK: code(
    'FAILED_PRECONDITION',
    1,
    'compare both clocks with a reference and set the wrong one; the daemon tries again by itself',
    true,
  ),
  E_VERSION: code('FAILED_PRECONDITION', 2, 'upgrade the older side'),
  E_TRANSPORT: code('FAILED_PRECONDITION', 5, 'the pinned version of the transport library is required'),
  E_MESSAGE: code(
    'INVALID_ARGUMENT',
    1,
    'a message could not be read; both sides must run compatible versions',
  ),
  E_SEAL: code('PERMISSION_DENIED', 1, 'a sealed message does not open: tell the administrators'),
  E_LEASE: code('RESOURCE_EXHAUSTED', 2, 'wait for a place; the daemon does so by itself', true),
  E_UPLOAD: code('ABORTED', 2, 'the upload is resumed by itself', true),
  E_UPLOAD_ROOT: code('DATA_LOSS', 1, 'the uploaded bytes do not match their signed digest'),
  E_DIGEST: code('DATA_LOSS', 1, 'the downloaded bytes do not match their digest'),
  E_DEADLINE: code(
    'DEADLINE_EXCEEDED',
    3,
    'see which site or stage was waited for in `regulon run show`',
    true,
  ),
  E_AUTH: code('UNAUTHENTICATED', 2, 'log in again, or pass the bearer token file of the coordinator'),
  E_ROLE: code('PERMISSION_DENIED', 2, 'ask an operator for an account with a role that may do this'),
  E_BUSY: code('RESOURCE_EXHAUSTED', 2, 'try again later', true),
  // state, disk
  E_DISK_FULL: code('RESOURCE_EXHAUSTED', 1, 'free disk space; nothing half-written was kept'),
  E_STATE_DB: code('FAILED_PRECONDITION', 1, 'restore the state folder from its backup, or enrol again'),
  E_STATE_LOCKED: code('FAILED_PRECONDITION', 1, 'another process uses this state folder; stop it first'),
  E_KEY_FILE: code(
    'PERMISSION_DENIED',
    4,
    'set the mode of the key file to 0600 and keep one key in one role',
  ),
  E_QUARANTINE: code(
    'FAILED_PRECONDITION',
    1,
    'the state of this site was restored from an old copy: re-key the site',
  ),
  // audit
  E_LOG_ENTRY: code('INVALID_ARGUMENT', 1, 'the entry breaks a rule of the log'),
  E_LOG_EQUIVOCATION: code(
    'PERMISSION_DENIED',
    1,
    'one actor signed two different entries with one number: keep the evidence',
  ),
  E_RELEASE: code(
    'FAILED_PRECONDITION',
    1,
    'a release needs an attack report of that very model and the approval of every site in it: docs/privacy.md',
  ),
  E_BUNDLE: code('INVALID_ARGUMENT', 4, 'ask for a fresh export of the bundle'),
  E_VERIFY: code('FAILED_PRECONDITION', 1, 'the first wrong entry is named: ask the operator of the log'),
} as const satisfies Record<string, Registration>;

/** A code of the registry. */
export type ErrorCode = keyof typeof registry;
