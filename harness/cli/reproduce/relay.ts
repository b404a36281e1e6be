import type { ReproductionApi } from '../../reproduction/api.ts'
import { setRaw } from './keys.ts'

const { stdin, stdout } = process

/**
 * Gives this terminal to a command in the sandbox, or to a shell, until that ends: keys, output and size. What the command
 * prints is not escaped, as in every terminal.
 * @returns its exit code
 */
export async function relay(api: ReproductionApi, command?: string[]): Promise<number> {
  const size = () => ({ rows: stdout.rows || 24, columns: stdout.columns || 80 })
  const terminal = { ...size(), type: process.env.TERM ?? 'dumb' }
  const id = await api.open({ ...(command && { command }), terminal })
  // The command may have ended.
  const ignore = () => {}
  const press = (keys: Buffer) => void api.write(id, keys.toString('base64')).catch(ignore)
  const resize = () => void api.resize(id, size()).catch(ignore)
  const wasRaw = stdin.isRaw
  setRaw(true)
  stdin.on('data', press).resume()
  stdout.on('resize', resize)
  try {
    return await follow(api, id)
  } finally {
    stdin.off('data', press).pause()
    setRaw(wasRaw)
    stdout.off('resize', resize)
    await api.close(id).catch(ignore)
  }
}

/** Runs a command in the sandbox without a terminal, and prints what it prints. Its exit code. */
export async function runInSandbox(api: ReproductionApi, command: string[]): Promise<number> {
  return follow(api, await api.open({ command }))
}

async function follow(api: ReproductionApi, id: number): Promise<number> {
  for (;;) {
    const { chunks, exitCode } = await api.read(id)
    for (const { stream, base64 } of chunks) {
      const bytes = Buffer.from(base64, 'base64')
      if (stream === 'out') process.stdout.write(bytes)
      else process.stderr.write(bytes)
    }
    if (exitCode !== undefined) return exitCode
  }
}

/** The same, with its output as text. */
export async function outputInSandbox(
  api: ReproductionApi,
  command: string[],
): Promise<{ text: string; exitCode: number }> {
  const id = await api.open({ command })
  const parts: Buffer[] = []
  for (;;) {
    const { chunks, exitCode } = await api.read(id)
    parts.push(...chunks.map(({ base64 }) => Buffer.from(base64, 'base64')))
    if (exitCode !== undefined) return { text: Buffer.concat(parts).toString(), exitCode }
  }
}
