import { freePorts } from '@regulon/cli/sim';

/** Ports for both servers of a coordinator that is started again: nobody else is given them meanwhile. */
export async function lastingPorts(): Promise<{ control: number; bulk: number }> {
  const [control = 0, bulk = 0] = await freePorts(2);
  return { control, bulk };
}
