import { setTimeout as delay } from 'node:timers/promises'
import type { Container } from 'dockerode'
import { longestSilence } from './heartbeat.ts'

/** Exit codes of the container's main process, timeout(1) with hold.sh. */
const endings: Record<number, string> = {
  75: `its container heard nothing of the rig for ${longestSilence} s (were the rig or the engine stopped? run again)`,
  124: 'its container has reached its longest life (run it in smaller parts)',
}

/**
 * Asks the engine how a running container will end: after its end the engine has removed it, and a rig that was stopped
 * meanwhile would hear no more than that. The returned function answers why its exec stream has closed; that closes a
 * moment before the engine calls the container ended, so the engine is given ten seconds.
 */
export function watchEnding(container: Container): () => Promise<string> {
  // Of an engine that is killed, this never hears.
  const told = container.wait().then(wordsOf, () => new Promise<never>(() => {}))
  const removed = () => Promise.race([told, delay(1_000, 'its container was removed', { ref: false })])
  const ask = () =>
    container.wait().then(wordsOf, ({ statusCode }) => (statusCode === 404 ? removed() : engineStopped))
  return () => Promise.race([ask(), delay(10_000, 'its probe ended', { ref: false })])
}

const engineStopped =
  'the container engine stopped answering while its container ran (start the engine and run again)'

const wordsOf = ({ StatusCode }: { StatusCode: number }): string =>
  endings[StatusCode] ?? `its container ended with exit code ${StatusCode}`
