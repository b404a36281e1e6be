# `claude daemon run --origin transient --spawned-by <json>`: the service that holds the background sessions of a user.
# Its stdin has two lines: the folder of its sockets, and ~/.claude.
use strict;
use warnings;
use POSIX qw(setsid WNOHANG);
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}service.pl";

# As measured, in seconds.
my ($idle_time, $restart_time) = (5, 10);

chomp(my ($folder, $home) = (scalar <STDIN>, scalar <STDIN>));
open STDIN, '<', '/dev/null';
become_claude();
my ($by) = grep { /^\{/ } @ARGV;
my ($above) = $folder =~ m{^(.*)/};
make_folder($_) for $above, $folder, map({ "$folder/$_" } qw(spare pty rv)), $home, map { "$home/$_" } qw(daemon jobs);
my $self = sprintf '"pid":%d,"version":"2.1.332","origin":"transient","procStart":"%s"', $$, start_of($$);
write_file("$home/daemon.lock", "{$self,\"spawnedBy\":$by}\n");
write_file("$home/daemon.status.json", sprintf '{"supervisorPid":%d,"supervisorProcStart":"%s"}', $$, start_of($$));
note("[supervisor] daemon start pid=$$ origin=transient");
my $control = listen_at("$folder/control.sock");

# By host: its spare or worker, its names, and the job that it has.
my %hosts;
my ($spare, $idle_since, %restarts);
my $is_over = 0;
$SIG{TERM} = $SIG{INT} = sub { $is_over = 1 };
$SIG{HUP} = $SIG{PIPE} = 'IGNORE';
start_spare();

until ($is_over) {
    my $ready = '';
    vec($ready, fileno $control, 1) = 1;
    if (select($ready, undef, undef, 0.1) > 0 && accept(my $peer, $control)) {
        my ($what, @values) = read_line($peer);
        my $answer = $what eq 'dispatch' ? dispatch(@values) : $what eq 'stop' ? stop(@values) : 'unknown';
        syswrite $peer, "$answer\n";
    }
    collect();
    for my $id (grep { $restarts{$_}{at} <= now_ms() } keys %restarts) { restart(delete $restarts{$id}) }
    my $serves = %restarts || grep { $_->{job} } values %hosts;
    $idle_since = $serves ? undef : $idle_since // now_ms();
    $is_over = 2 if defined $idle_since && now_ms() - $idle_since > $idle_time * 1000;
}

note('[supervisor] shutting down');
kill 'TERM', $hosts{$spare}{repl} if $spare && $hosts{$spare};
unlink "$folder/control.sock", "$home/daemon.lock", "$home/daemon.status.json";
remove_folder() if $is_over == 2;

sub make_folder { mkdir $_[0], 0700; -d $_[0] or die "$_[0]: $!\n" }

sub note {
    open my $log, '>>', "$home/daemon.log" or return;
    syswrite $log, "$_[0]\n";
}

# Starts a host with a claude in it, and waits until that claude can be reached.
sub start_host {
    my ($name, @claude) = @_;
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP PIPE);
        setsid();
        delete @ENV{qw(TMUX TMUX_PANE)};
        $ENV{CLAUDE_CODE_SESSION_KIND} = 'bg';
        $ENV{CLAUDE_BG_BACKEND} = 'daemon';
        $ENV{CLAUDE_BG_SOCKET_TOKENS_PATH} = "$home/daemon/auth/spare-$name.tokens.json";
        chdir "$folder/spare";
        # Its stdin is closed in time: it carries the pipe for the pid, and ~/.claude.
        open STDIN, '<&', $from;
        open STDOUT, '>&', $to;
        my @host = ('--bg-pty-host', "$folder/spare/$name.pty.sock", 200, 50, '--', @claude);
        exec { $^X } 'claude bg-pty-host', "${here}pty-host.pl", @host;
        die "exec: $!\n";
    }
    close $to;
    chomp(my $repl = scalar(<$from>) // '');
    $hosts{$pid} = { name => $name, repl => $repl };
    return $pid;
}

sub start_spare {
    my $name = random_id();
    $spare = start_host($name, 'claude', '--bg-spare', "$folder/spare/$name.claim.sock");
    note("[bg] bg spare spawned host pid=$spare");
}

sub dispatch {
    my ($id, $session, $cwd, $launched_by, $intent) = @_;
    my $host = $spare;
    my $peer = connect_to("$folder/spare/$hosts{$host}{name}.claim.sock") or return 'no spare';
    syswrite $peer, join("\t", $id, $session, $cwd, $home, $folder) . "\n";
    read_line($peer);
    unlink "$folder/spare/$hosts{$host}{name}.claim.sock";
    my %job = (id => $id, session => $session, cwd => $cwd, by => $launched_by, intent => $intent);
    $hosts{$host}{job} = \%job;
    note("[bg] bg claimed-spare $id (shell)");
    start_spare();
    write_roster();
    return 'ok';
}

sub stop {
    my ($id) = @_;
    my ($host) = grep { ($hosts{$_}{job}{id} // '') eq $id } grep { $hosts{$_}{job} } keys %hosts;
    delete $restarts{$id};
    return 'unknown' unless $host;
    $hosts{$host}{stopped} = 1;
    kill 'TERM', $hosts{$host}{repl};
    return 'ok';
}

# A claude that ended without `claude stop` gets its session again some seconds later.
sub collect {
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        my $host = delete $hosts{$pid} or next;
        # TERM may have come while the loop was on its way here.
        if ($spare == $pid) { start_spare() unless $is_over }
        elsif ($host->{job} && !$host->{stopped}) {
            $restarts{ $host->{job}{id} } = { at => now_ms() + $restart_time * 1000, job => $host->{job} };
        }
        write_roster() if $host->{stopped};
    }
}

sub restart {
    my $job = $_[0]{job};
    my $host = start_host($job->{id}, 'claude', '--resume', $job->{session}, @$job{qw(id cwd)}, $home, $folder);
    $hosts{$host}{job} = $job;
    write_roster();
}

sub write_roster {
    my @workers;
    for my $pid (sort { $a <=> $b } grep { $hosts{$_}{job} && !$hosts{$_}{stopped} } keys %hosts) {
        my ($job, $repl) = ($hosts{$pid}{job}, $hosts{$pid}{repl});
        my $env = '{"CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS":' . text($job->{by} || ',') . '}';
        my ($session, $cwd) = (text($job->{session}), text($job->{cwd}));
        push @workers, text($job->{id}) . qq(:{"pid":$pid,"procStart":"${\ start_of($pid)}","sessionId":$session,)
            . qq("cwd":$cwd,"dispatch":{"short":"$job->{id}","source":"shell","cwd":$cwd,"env":$env,)
            . qq("seed":{"intent":${\ text($job->{intent})}}},"replPid":$repl,"replProcStart":"${\ start_of($repl)}"});
    }
    my $all = join ',', @workers;
    write_file("$home/daemon/roster.json", qq({"proto":1,"supervisorPid":$$,"workers":{$all}}\n), 0600);
}

sub remove_folder {
    unlink glob "$folder/*/*";
    rmdir for glob("$folder/*"), $folder;
}
