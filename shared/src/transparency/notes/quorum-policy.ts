import { hex } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { formatVkey, KeyType, parseVkey, type VerifierKey } from './vkey.js';

/** Which log is meant, who may cosign it, and how many must. */
export interface QuorumPolicy {
  readonly log: VerifierKey;
  readonly witnesses: readonly { readonly name: string; readonly key: VerifierKey }[];
  /** q: number of distinct witnesses that a checkpoint needs; 0 for `quorum none` */
  readonly threshold: number;
}

/**
 * Number of members that must cosign: two quorums share an honest one.
 *
 * @param members N @param colluders f, members that may collude with the coordinator
 */
export function quorumOf(members: number, colluders: number): number {
  return Math.floor((members + colluders) / 2) + 1;
}

/** Policy text: one log line, one witness line a site, one group `sites` with the threshold. @see C2SP tlog-policy */
export function quorumPolicyText({ log, witnesses, threshold }: QuorumPolicy): string {
  const lines = [
    `log ${formatVkey(log)}`,
    ...witnesses.map(({ name, key }) => `witness ${name} ${formatVkey(key)}`),
  ];
  if (threshold === 0) return `${[...lines, 'quorum none'].join('\n')}\n`;
  const members = witnesses.map(({ name }) => name).join(' ');
  return `${[...lines, `group sites ${threshold} ${members}`, 'quorum sites'].join('\n')}\n`;
}

/**
 * Read a policy text: exactly one log, witnesses, at most one group that is the quorum.
 *
 * Nested groups are part of the format, but no federation writes them: they are refused by name.
 *
 * @throws E_ARGUMENT naming the line
 */
export function parseQuorumPolicy(text: string): QuorumPolicy {
  const reader = new PolicyReader();
  if (text.length > 512 * 1024)
    throw new RegulonError('E_ARGUMENT', 'the quorum policy is larger than 512 KiB');
  text.split('\n').forEach((line, i) => reader.line(line.trim(), i + 1));
  return reader.policy();
}

class PolicyReader {
  private log: VerifierKey | undefined;
  private readonly witnesses = new Map<string, VerifierKey>();
  private readonly keys = new Set<string>();
  private group: { name: string; threshold: number } | undefined;
  private threshold: number | undefined;

  line(line: string, number: number): void {
    if (line === '' || line.startsWith('#')) return;
    const [word = '', ...rest] = line.split(/[ \t]+/);
    const problem = this.accept(word, rest);
    if (problem !== undefined)
      throw new RegulonError('E_ARGUMENT', `quorum policy, line ${number}: ${problem}`);
  }

  policy(): QuorumPolicy {
    if (this.log === undefined || this.threshold === undefined) {
      throw new RegulonError('E_ARGUMENT', 'the quorum policy names no log or no quorum');
    }
    const witnesses = [...this.witnesses].map(([name, key]) => ({ name, key }));
    return { log: this.log, witnesses, threshold: this.threshold };
  }

  private accept(word: string, rest: string[]): string | undefined {
    switch (word) {
      case 'log':
        return this.addLog(rest);
      case 'witness':
        return this.addWitness(rest);
      case 'group':
        return this.addGroup(rest);
      case 'quorum':
        return this.setQuorum(rest);
      default:
        return 'unknown keyword';
    }
  }

  private addLog([vkey = '']: string[]): string | undefined {
    if (this.log !== undefined) return 'a second log';
    this.log = this.key(vkey, KeyType.log);
    return this.log === undefined ? 'not a log key, or a duplicate' : undefined;
  }

  private addWitness([name = '', vkey = '']: string[]): string | undefined {
    const key = this.key(vkey, KeyType.cosigner);
    if (key === undefined || name === 'none' || this.witnesses.has(name))
      return 'not a cosigner key, or a duplicate';
    this.witnesses.set(name, key);
    return undefined;
  }

  private addGroup([name = '', count = '', ...members]: string[]): string | undefined {
    if (this.group !== undefined) return 'a second group is not supported';
    const threshold = count === 'any' ? 1 : count === 'all' ? members.length : Number(count);
    const known =
      members.every((member) => this.witnesses.has(member)) && new Set(members).size === members.length;
    if (name === 'none' || this.witnesses.has(name) || !known)
      return 'a group lists distinct witnesses defined before it';
    if (members.length !== this.witnesses.size) return 'the group must list every witness';
    if (!Number.isInteger(threshold) || threshold < 1 || threshold > members.length)
      return 'the threshold is outside 1…members';
    this.group = { name, threshold };
    return undefined;
  }

  private setQuorum([name = '']: string[]): string | undefined {
    if (this.threshold !== undefined) return 'a second quorum';
    if (name === 'none') this.threshold = 0;
    else if (name === this.group?.name) this.threshold = this.group.threshold;
    return this.threshold === undefined ? 'the quorum names no group defined before it' : undefined;
  }

  private key(text: string, type: KeyType): VerifierKey | undefined {
    const key = readVkey(text);
    if (key === undefined) return undefined;
    const fingerprint = hex(key.publicKey);
    if (key.type !== type || this.keys.has(fingerprint)) return undefined;
    this.keys.add(fingerprint);
    return key;
  }
}

function readVkey(text: string): VerifierKey | undefined {
  try {
    return parseVkey(text);
  } catch {
    return undefined;
  }
}
