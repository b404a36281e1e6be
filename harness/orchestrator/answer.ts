/** Turns a tool into an MCP handler: its result becomes JSON text, and what it throws an error with one sentence. */
export function answer<Input>(tool: (input: Input) => Promise<Record<string, unknown>>) {
  return async (input: Input) => {
    try {
      return text({ success: true, ...(await tool(input)) })
    } catch (error) {
      return {
        ...text({ success: false, error: error instanceof Error ? error.message : String(error) }),
        isError: true,
      }
    }
  }
}

function text(data: Record<string, unknown>) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(data) }] }
}
