import { spawn } from 'node:child_process'
import { oneLine } from './one-line.ts'

/** The connection to the service manager that started us. Without one, its calls do nothing. */
export interface ServiceManager {
  /** Reports ready, alive, and a line for `systemctl status`. To be called well within WatchdogSec. */
  alive(status: string): void
  stopping(): void
}

/** How long systemd-notify may take, in ms. */
const TIMEOUT_MS = 5_000

/**
 * Reports to systemd (sd_notify). The protocol needs a datagram Unix socket, which Node lacks, so the program `systemd-notify`
 * sends each message, one short process per heartbeat; the unit permits that with NotifyAccess=all. Only a unit of
 * Type=notify sets NOTIFY_SOCKET. This function removes it from the environment.
 */
export function serviceManager(environment: NodeJS.ProcessEnv = process.env): ServiceManager {
  const { NOTIFY_SOCKET: socket } = environment
  // Programs that we start must not report in our name.
  delete environment.NOTIFY_SOCKET
  if (!socket) return { alive: () => {}, stopping: () => {} }
  const send = (...messages: string[]): void => {
    // Errors are ignored: cleaning goes on without systemd-notify or a manager, and the watchdog acts on missing messages.
    spawn('systemd-notify', messages, {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      env: { ...environment, NOTIFY_SOCKET: socket },
    }).on('error', () => {})
  }
  return {
    // READY=1 with every heartbeat: before systemd 246 a message is lost when its sender exits before it is read.
    alive: status =>
      send('READY=1', 'WATCHDOG=1', `STATUS=${oneLine(status.replaceAll(/\s+/g, ' ')).slice(0, 200)}`),
    stopping: () => send('STOPPING=1'),
  }
}
