import type { Command } from 'commander';
import { accountOf, noiseFor, type PrivacyAccount } from '@regulon/shared/privacy';
import { realNumber, wholeNumber } from '../arguments/index.js';
import type { CommandResult } from '../output/index.js';
import { type Context, handles } from './context.js';

interface StepOptions {
  readonly q: string;
  readonly steps: string;
  readonly delta: string;
  readonly hospitals: string;
}

/** `regulon privacy …`: what differentially private training costs, and how much noise a wanted ε needs. */
export function privacyCommands(program: Command, context: Context): void {
  const privacy = program.command('privacy').description('privacy loss and noise of training');
  epsilonCommand(privacy, context);
  noiseCommand(privacy, context);
}

function epsilonCommand(privacy: Command, context: Context): void {
  const command = steps(privacy.command('epsilon'))
    .description('ε of noisy steps, by every accountant')
    .requiredOption('--z <number>', 'noise multiplier: standard deviation over clip norm');
  handles<StepOptions & { z: string }>(command, context, async (_, options) => {
    const training = trainingOf(options);
    const z = realNumber('--z', options.z);
    return statement({ ...training, z }, accountFor({ ...training, z }));
  });
}

function noiseCommand(privacy: Command, context: Context): void {
  const command = steps(privacy.command('noise'))
    .description('least noise multiplier for a wanted ε')
    .requiredOption('--epsilon <number>', 'the ε that the whole training may cost');
  handles<StepOptions & { epsilon: string }>(command, context, async (_, options) => {
    const training = trainingOf(options);
    const epsilon = realNumber('--epsilon', options.epsilon);
    const { q, delta, steps, hospitals } = training;
    // a patient in k hospitals is in k times the steps
    const noise = noiseFor({ epsilon, delta, q, steps: steps * hospitals });
    const { data, lines } = statement(
      { ...training, z: noise.pld },
      accountFor({ ...training, z: noise.pld }),
    );
    const byAccountant = [`noise z: ${noise.pld} by PLD, ${noise.rdp} by RDP`];
    return { data: { ...data, noise }, lines: [...byAccountant, ...lines] };
  });
}

function steps(command: Command): Command {
  return command
    .requiredOption('--q <number>', 'probability that a patient is in a step; 1 = everybody')
    .requiredOption('--steps <number>', 'noisy steps, all rounds together')
    .requiredOption('--delta <number>', 'δ, below 1 / (number of patients)')
    .option('--hospitals <number>', 'hospitals that may hold the same patient', '1');
}

interface Training {
  readonly q: number;
  readonly steps: number;
  readonly delta: number;
  readonly hospitals: number;
}

function trainingOf(options: StepOptions): Training {
  return {
    q: realNumber('--q', options.q),
    steps: wholeNumber('--steps', options.steps, 1, 1e9),
    delta: realNumber('--delta', options.delta),
    hospitals: wholeNumber('--hospitals', options.hospitals, 1, 255),
  };
}

function accountFor({ q, z, steps, delta, hospitals }: Training & { z: number }): PrivacyAccount {
  return accountOf([{ mechanism: 'gaussian', q, z, steps }], delta, { copies: hospitals });
}

/** ε never stands alone: with δ, unit, adjacency, hospitals, accountant and version. */
function statement(
  training: Training & { z: number },
  { epsilon, reported, accountant }: PrivacyAccount,
): CommandResult & { data: object } {
  const { hospitals, delta } = training;
  const claim = { unit: 'patient', adjacency: 'add-or-remove-one' } as const;
  const of = (name: string, value: number | null): string => (value === null ? '' : `, ${value} by ${name}`);
  return {
    data: { epsilon, reported, ...training, ...claim, accountant },
    lines: [
      `ε = ${reported.epsilon} at δ = ${delta} (${reported.by}), per patient, one added or removed, ` +
        `in ${hospitals} ${hospitals === 1 ? 'hospital' : 'hospitals'}; ${accountant}`,
      `cross-check: ${epsilon.rdp} by RDP${of('PLD', epsilon.pld)}${of('the exact formula', epsilon.exact)}`,
    ],
  };
}
