# What the scripts of the background service (`claude --bg`) share. Only modules of perl-base are used.
use strict;
use warnings;
use Socket;

# The longest life of each process of it, in seconds: exec keeps an alarm, fork does not.
our $lifetime = 1200;

# Shows the process as ps and cleanups see the real one.
sub become_claude {
    alarm $lifetime;
    open my $file, '>', '/proc/self/comm' or return;
    syswrite $file, 'claude';
}

sub read_file {
    open my $file, '<', $_[0] or return '';
    local $/;
    return scalar(<$file>) // '';
}

# Replaces the file in one step: others read it at any time.
sub write_file {
    my ($path, $text, $mode) = @_;
    my $draft = "$path.$$.tmp";
    open my $file, '>', $draft or return;
    syswrite $file, $text;
    close $file;
    chmod $mode, $draft if $mode;
    rename $draft, $path;
}

sub text {
    my ($text) = @_;
    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

# Field 22 of /proc/<pid>/stat: the start time, in clock ticks.
sub start_of {
    my ($rest) = read_file("/proc/$_[0]/stat") =~ /.*\) (.*)/s or return 0;
    return (split ' ', $rest)[19];
}

sub listen_at {
    my ($path) = @_;
    socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
    unlink $path;
    bind $socket, pack_sockaddr_un($path) or die "$path: $!\n";
    listen $socket, 16 or die "$path: $!\n";
    return $socket;
}

sub connect_to {
    my ($path) = @_;
    socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
    connect $socket, pack_sockaddr_un($path) or return;
    return $socket;
}

# The next line of a peer. A request is one line, its values separated by tabs.
sub read_line {
    my ($peer) = @_;
    my $line = '';
    while ($line !~ /\n/) { sysread $peer, $line, 4096, length $line or last }
    chomp $line;
    return split /\t/, $line, -1;
}

sub now_ms { require Time::HiRes; return int(Time::HiRes::time() * 1000) }
sub pause { select undef, undef, undef, $_[0] }
sub random_id { return join '', map { sprintf '%02x', int rand 256 } 1 .. 4 }

1;
