# An MCP server over stdio that does not leave: neither at the end of its stdin nor on HUP. $ARGV[0]: from when on, in
# milliseconds after its start; $ARGV[1]: how long it resists HUP, '' is for ever.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my ($deed, $resist) = (uptime() + $ARGV[0] / 1000, $ARGV[1]);
my ($stubborn, $open, $buffer) = (0, 1, '');
alarm our $net;
while (1) {
    if (!$stubborn && uptime() >= $deed) {
        resist($resist, 'HUP');
        $stubborn = 1;
    }
    vec(my $ready = '', 0, 1) = $open;
    my $rest = $deed - uptime();
    select($ready, undef, undef, $stubborn ? patience() : $rest > 0 ? $rest : 0) > 0 or next;
    next if $open and sysread STDIN, $buffer, 65536, length $buffer and answer_all();
    exit unless $stubborn;
    let_go_of_stdin();
    $open = 0;
}

sub answer_all {
    answer($1) while $buffer =~ s/^(.*)\n//;
    return 1;
}

# The client writes its id behind everything that it asks.
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
