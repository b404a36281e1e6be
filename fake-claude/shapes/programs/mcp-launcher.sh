# A launcher that starts a launcher, $1 shells in all, and an MCP server below the last: `npx some-server` is that.
# The rest is for the server. The `:` keeps each shell from becoming its command.
shells=$1
shift
if [ "$shells" -gt 1 ]; then sh "$0" $((shells - 1)) "$@"; else perl "${0%/*}/mcp-server.pl" "$@"; fi
:
