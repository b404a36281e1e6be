# A launcher like `npx some-server`: $1 shells below each other, and an MCP server below the last. The other arguments are
# the server's. The `:` keeps each shell from exec'ing its last command.
shells=$1
shift
if [ "$shells" -gt 1 ]; then sh "$0" $((shells - 1)) "$@"; else perl "${0%/*}/mcp-server.pl" "$@"; fi
:
