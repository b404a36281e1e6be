import { spawn } from 'node:child_process'

/** The service manager that started us, if one did: it is told that we are alive, and that we stop. */
export interface ServiceManager {
  /** Ready, alive, and a line for `systemctl status`. To be called well within WatchdogSec. */
  alive(status: string): void
  stopping(): void
}

/** How long systemd-notify may take, in ms. */
const PATIENCE_MS = 5_000

/**
 * Speaks to systemd (sd_notify). The protocol wants a datagram Unix socket, which Node does not have, so the program
 * `systemd-notify` sends it; the unit allows that with NotifyAccess=all. One short process every heartbeat.
 * Without NOTIFY_SOCKET, which only a unit of Type=notify sets, nothing is sent.
 */
export function serviceManager(environment: NodeJS.ProcessEnv = process.env): ServiceManager {
  const { NOTIFY_SOCKET: socket } = environment
  // Whatever we start must not speak in our name.
  delete environment.NOTIFY_SOCKET
  if (!socket) return { alive: () => {}, stopping: () => {} }
  const send = (...messages: string[]): void => {
    // A program that is missing, or a manager that is gone, is no reason to leave agents alone: the watchdog judges that.
    spawn('systemd-notify', messages, {
      stdio: 'ignore',
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      env: { ...environment, NOTIFY_SOCKET: socket },
    }).on('error', () => {})
  }
  return {
    // READY=1 with every heartbeat: before systemd 246 a message is lost when its sender is gone before it is read,
    // and the first one must not be.
    alive: status => send('READY=1', 'WATCHDOG=1', `STATUS=${status.replaceAll(/\s+/g, ' ').slice(0, 200)}`),
    stopping: () => send('STOPPING=1'),
  }
}
