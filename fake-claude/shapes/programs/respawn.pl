# A supervisor that restarts its worker whenever that ends, and ignores TERM.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my $plan = read_plan();
release_stdin();
alarm our $lifetime;
resist($plan->{RESIST}, 'TERM');
my $worker = work();
report($plan, 'worker', $worker);
report($plan, 'supervisor', $$);
while (1) {
    # Polls, because an end of the worker between a check and a wait would go unnoticed.
    pause(0.02);
    # 1 is WNOHANG.
    $worker = work() if waitpid($worker, 1) == $worker;
    end_both() if is_over();
}

sub work {
    my $pid = fork // return 0;
    return $pid if $pid;
    $SIG{TERM} = 'DEFAULT';
    exec 'sleep', $lifetime;
}

# Ends the worker first, so that it is not orphaned.
sub end_both {
    kill 'TERM', $worker;
    waitpid $worker, 0;
    wait_time();
}
