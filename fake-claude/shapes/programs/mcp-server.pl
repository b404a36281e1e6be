# An MCP server over stdio that ends neither at the end of its stdin nor on HUP. $ARGV[0]: from when on, in milliseconds
# after its start. $ARGV[1]: how long it resists HUP; '' is for ever.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my ($due, $resist) = (uptime() + $ARGV[0] / 1000, $ARGV[1]);
my ($stubborn, $open, $buffer) = (0, 1, '');
alarm our $lifetime;
while (1) {
    if (!$stubborn && uptime() >= $due) {
        resist($resist, 'HUP');
        $stubborn = 1;
    }
    vec(my $ready = '', 0, 1) = $open;
    my $rest = $due - uptime();
    select($ready, undef, undef, $stubborn ? wait_time() : $rest > 0 ? $rest : 0) > 0 or next;
    next if $open and sysread STDIN, $buffer, 65536, length $buffer and answer_all();
    exit unless $stubborn;
    release_stdin();
    $open = 0;
}

sub answer_all {
    answer($1) while $buffer =~ s/^(.*)\n//;
    return 1;
}

# The client writes the id as the last field of a request.
sub answer {
    my ($line) = @_;
    my ($id) = $line =~ /.*"id":\s*(\d+|"[^"]*")/ or return;
    my ($method) = $line =~ /"method":\s*"([^"]*)"/ or return;
    my ($version) = $line =~ /"protocolVersion":\s*"([^"]*)"/;
    my %result = (
        initialize   => sub { qq({"protocolVersion":"$version","capabilities":{"tools":{}},)
            . '"serverInfo":{"name":"launched","version":"1.0.0"}}' },
        ping         => sub { '{}' },
        'tools/list' => sub { '{"tools":[{"name":"look","inputSchema":{"type":"object"}}]}' },
        'tools/call' => sub { '{"content":[{"type":"text","text":"Nothing to see."}]}' },
    );
    my $outcome = $result{$method}
        ? '"result":' . $result{$method}->()
        : '"error":{"code":-32601,"message":"Method not found"}';
    syswrite STDOUT, qq({"jsonrpc":"2.0","id":$id,$outcome}\n);
}
