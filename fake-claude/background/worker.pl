# The claude of one background session. With `--bg-spare <socket>` it waits until the service gives it a job; with
# `--resume <session> <id> <folder> <~/.claude> <folder of the sockets>` it has one from the start. $ARGV[0]: its terminal.
use strict;
use warnings;
use POSIX qw(setsid WNOHANG);
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}service.pl";

my $controlling_terminal = 0x540E;    # TIOCSCTTY

our $lifetime;
become_claude();
my ($terminal, undef, $how, $what, @rest) = @ARGV;
my ($id, $session, $cwd, $home, $folder);
my (@own, $bash);
$SIG{HUP} = 'IGNORE';
$SIG{TERM} = \&end;

if ($how eq '--bg-spare') {
    my $socket = listen_at($what);
    ready();
    my $peer;
    1 until accept $peer, $socket;
    ($id, $session, $cwd, $home, $folder) = read_line($peer);
    work();
    syswrite $peer, "ok\n";
}
else {
    ($session, $id, $cwd, $home, $folder) = ($what, @rest);
    work();
    ready();
}
while (1) {
    pause(60);
    waitpid -1, WNOHANG;
}

# The host waits for this.
sub ready {
    syswrite STDOUT, '.';
    open STDOUT, '>', '/dev/null';
}

sub work {
    chdir $cwd or die "$cwd: $!\n";
    setsid();
    open my $own, '+<', $terminal or die "$terminal: $!\n";
    ioctl $own, $controlling_terminal, 0;
    my $slug = $cwd =~ s/[^A-Za-z0-9]/-/gr;
    my $base = $ENV{CLAUDE_CODE_TMPDIR} || '/tmp';
    my $snapshot = "$home/shell-snapshots/snapshot-bash-" . now_ms() . "-${\ substr random_id(), 0, 6}.sh";
    for my $path ("$home/sessions", "$home/shell-snapshots", "$home/projects", "$home/projects/$slug", "$base/cc-socks",
        "$home/jobs/$id", "$home/jobs/$id/tmp")
    {
        mkdir $path;
    }
    my ($s, $c) = (text($session), text($cwd));
    @own = ("$home/sessions/$$.json", "$home/sessions/$$.${\ random_id()}.key", $snapshot, "$base/cc-socks/$$.sock",
        "$folder/rv/$id.sock");
    write_file($own[0], qq({"pid":$$,"sessionId":$s,"cwd":$c,"startedAt":${\ now_ms()},"procStart":"${\ start_of($$)}",)
        . qq("version":"2.1.332","kind":"bg","entrypoint":"cli","jobId":"$id","status":"busy"}\n));
    write_file($own[1], random_id(), 0600);
    write_file($snapshot, "shopt -s expand_aliases\n");
    state_is('working');
    write_file("$home/projects/$slug/$session.jsonl", qq({"type":"user","sessionId":$s,"cwd":$c}\n));
    our @sockets = map { listen_at($_) } @own[3, 4];
    start_bash("source $snapshot && eval 'sleep $lifetime; :'", $session, $base, $slug);
}

sub state_is {
    my ($state) = @_;
    my ($s, $c) = (text($session), text($cwd));
    write_file("$home/jobs/$id/state.json",
        qq({"state":"$state","sessionId":$s,"daemonShort":"$id","cwd":$c,"backend":"daemon"}\n));
}

sub start_bash {
    my ($command, $of, $base, $slug) = @_;
    $bash = fork // die "fork: $!\n";
    return if $bash;
    $SIG{$_} = 'DEFAULT' for qw(HUP TERM);
    setsid();
    delete @ENV{qw(CLAUDE_BG_BACKEND CLAUDE_BG_SOCKET_TOKENS_PATH CLAUDE_CODE_SESSION_KIND)};
    @ENV{qw(CLAUDECODE CLAUDE_PID CLAUDE_CODE_CHILD_SESSION CLAUDE_CODE_SESSION_ID CLAUDE_JOB_DIR)} =
        (1, getppid, 1, $of, "$home/jobs/$id");
    $ENV{CLAUDE_CODE_MESSAGING_SOCKET} = $own[3];
    open $_, '+<', '/dev/null' for \*STDIN, \*STDOUT, \*STDERR;
    POSIX::close($_) for 3 .. 20;
    exec '/bin/bash', '-c', $command;
}

# On TERM it ends what its running Bash call has started, and removes its files.
sub end {
    for my $signal ('TERM', 'KILL') {
        kill $signal, tree($bash) if $bash;
        for (1 .. 30) {
            $bash = 0 if $bash && waitpid($bash, WNOHANG) == $bash;
            last unless $bash;
            pause(0.05);
        }
    }
    state_is('stopped') if $id;
    unlink @own;
    POSIX::_exit(143);
}

sub tree {
    my ($pid) = @_;
    return ($pid, map { tree($_) } split ' ', read_file("/proc/$pid/task/$pid/children"));
}
