"""Stands in for the library fastmcp 2, as far as the orchestrator of leakrig.config.ts uses it: tools over stdio.

It is ours, and shares nothing with the library but these names. A tool's parameters have no types here, because nobody asks.
"""

import inspect
import json
import sys
import traceback


class FunctionTool:
    """A tool. In version 2 it cannot be called as a function; `fn` can."""

    def __init__(self, fn):
        self.fn = fn
        self.name = fn.__name__

    def described(self):
        parameters = inspect.signature(self.fn).parameters.values()
        required = [one.name for one in parameters if one.default is one.empty]
        schema = {"type": "object", "properties": {one.name: {} for one in parameters}, "required": required}
        return {"name": self.name, "description": inspect.getdoc(self.fn) or "", "inputSchema": schema}


class FastMCP:
    def __init__(self, name, **_):
        self._name = name
        self._tools = {}

    def tool(self, fn=None, **_):
        """Used as `@mcp.tool` and as `@mcp.tool()`."""
        if fn is None:
            return self.tool
        tool = FunctionTool(fn)
        self._tools[tool.name] = tool
        return tool

    def resource(self, _uri, **_):
        return lambda fn: fn

    def run(self, **_):
        """Answers one request after another, until the end of its input."""
        for line in sys.stdin:
            request = json.loads(line)
            # A notification has no id, and gets no answer.
            if "id" not in request:
                continue
            answer = {"jsonrpc": "2.0", "id": request["id"], **self._answer(request)}
            print(json.dumps(answer), flush=True)

    def _answer(self, request):
        method, params = request["method"], request.get("params", {})
        if method == "initialize":
            info = {"name": self._name, "version": "0"}
            version = params.get("protocolVersion", "2025-06-18")
            return {"result": {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}}
        if method == "ping":
            return {"result": {}}
        if method == "tools/list":
            return {"result": {"tools": [one.described() for one in self._tools.values()]}}
        if method == "tools/call":
            return {"result": self._call(params["name"], params.get("arguments", {}))}
        return {"error": {"code": -32601, "message": f"there is no method {method}"}}

    def _call(self, name, arguments):
        try:
            result = self._tools[name].fn(**arguments)
        except Exception as error:
            traceback.print_exc()
            return {"content": [{"type": "text", "text": f"{type(error).__name__}: {error}"}], "isError": True}
        text = result if isinstance(result, str) else json.dumps(result)
        structured = {"structuredContent": result} if isinstance(result, dict) else {}
        return {"content": [{"type": "text", "text": text}], **structured}
