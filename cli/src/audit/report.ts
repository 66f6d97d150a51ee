import { writeWhole } from '../files/index.js';
import { auditDocument, type AuditDocument } from './report-document.js';
import { auditPage } from './report-page.js';
import { type VerifyArguments, verifyCommand, type VerifyOutcome } from './verify.js';

/** Arguments of `regulon audit report`. */
export interface ReportArguments extends VerifyArguments {
  /** where to write the page */
  readonly out: string;
  /** name and version of this program */
  readonly tool: string;
}

/** The answer of `regulon audit report`. */
export interface ReportOutcome extends Pick<VerifyOutcome, 'failure' | 'firstLine'> {
  readonly document: AuditDocument;
  /** size of the page */
  readonly bytes: number;
}

/**
 * Verify an exported log and write what was found as one page for people, whatever the verdict.
 *
 * @throws E_ARGUMENT or E_BUNDLE (exit 4) when a file or an argument cannot be used; no page is written then
 */
export async function reportCommand({ out, tool, ...args }: ReportArguments): Promise<ReportOutcome> {
  const { failure, firstLine, report, judged } = await verifyCommand(args);
  const document = auditDocument({ tool, level: args.level ?? 1, report, ...judged });
  const page = auditPage(document);
  writeWhole(out, page);
  return { failure, firstLine, document, bytes: Buffer.byteLength(page) };
}
