# A supervisor: it starts its worker again, whoever ends that, and does not listen to TERM itself.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my $plan = read_plan();
let_go_of_stdin();
alarm our $net;
resist($plan->{RESIST}, 'TERM');
my $worker = work();
report($plan, 'worker', $worker);
report($plan, 'supervisor', $$);
while (1) {
    # Asked often: a worker that dies between a look and a wait would not be noticed.
    pause(0.02);
    # 1 is WNOHANG.
    $worker = work() if waitpid($worker, 1) == $worker;
    give_in() if has_given_in();
}

sub work {
    my $pid = fork // return 0;
    return $pid if $pid;
    $SIG{TERM} = 'DEFAULT';
    exec 'sleep', $net;
}

# The worker goes first, or it would be nobody's.
sub give_in {
    kill 'TERM', $worker;
    waitpid $worker, 0;
    patience();
}
