/**
 * Turns a tool into an MCP handler: its result becomes JSON text, and what it throws an error with one sentence. `problem`
 * is what is wrong beside the tool, for the field `warning`.
 */
export function answer<Input>(
  tool: (input: Input) => Promise<Record<string, unknown>>,
  problem: () => string | undefined = () => undefined,
) {
  const warning = () => {
    const why = problem()
    return why === undefined ? {} : { warning: why }
  }
  return async (input: Input) => {
    try {
      return text({ success: true, ...(await tool(input)), ...warning() })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { ...text({ success: false, error: why, ...warning() }), isError: true }
    }
  }
}

function text(data: Record<string, unknown>) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(data) }] }
}
