#!/bin/sh
# The namespace sandbox, in three steps. Each step starts the next one with the remaining arguments.
#   guard   runs outside and ends the sandbox when the rig is gone
#   build   is process 1: it makes a root folder of what a run needs, and reaps every orphan
#   enter   gives away all rights that a run does not need
set -eu
step=$1
shift

# Inside, all processes have one user id and may signal each other, except process 1. So what ends the sandbox stays
# outside. Descriptor 3 is the lifeline: the rig holds its other end, and the kernel closes that for a killed rig.
guard() {
  flags=$1
  shift
  # A background command would get /dev/null for its standard input; the probe needs ours.
  exec 4<&0
  # shellcheck disable=SC2086 # the flags are words
  (exec <&4 3<&- 4<&- && exec unshare $flags -- sh "$0" build "$@") &
  child=$!
  # The end of standard output tells the rig that the sandbox ended, so nobody else may hold it.
  exec </dev/null >/dev/null 4<&-
  read -r _ <&3 || true
  # The child is not collected before `wait`, so its pid is still its own.
  kill -KILL "$child" 2>/dev/null || true
  wait "$child"
}

# $1: user and group to run as, "uid:gid", or "same". $2: the project. $3: what setpriv(1) makes of the capabilities.
# $4: the number of keyctl(2), or 0. $5 and what follows: the command.
build() {
  user=$1 project=$2 program=$5
  shift 2
  umask 022
  # A run needs nothing of /sys, and no project lies there.
  root=/sys
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs $root
  copy_system
  mount -t proc -o nosuid,nodev,noexec proc $root/proc
  # A way to the limits of `enter` that does not lead through the read-only /proc/sys.
  exec 9<$root/proc/sys
  mount_table >$root/etc/fstab
  mount --all --fstab $root/etc/fstab
  for path in "$project" "$program"; do [ -e "$root$path" ] || show "$path"; done
  (cd $root && pivot_root . mnt)
  cd /
  umount -l /mnt
  seal
  cd /tmp
  exec 4<&0
  (exec <&4 4<&- && as_user "$user" unshare --user --map-root-user --mount -- sh "$0" enter "$@") &
  exec 9<&-
  wait $!
}

# The folders and files of the root. Small ones are copied, which takes less time than to mount them.
# shellcheck disable=SC2086 # lists of plain names
copy_system() {
  mkdir -p $root/dev/pts $root/dev/shm $root/etc $root/mnt $root/proc $root/tmp $root/usr
  links='' folders='' files=''
  # Of the stores not what serves them: a read-only mount lets everybody connect to a socket, such as nix's daemon.
  for name in bin sbin lib lib32 lib64 libx32 nix/store nix/var/nix/profiles gnu/store; do
    if [ -h /$name ]; then links="$links /$name"; elif [ -d /$name ]; then folders="$folders $name"; fi
  done
  for name in fd stdin stdout stderr; do [ ! -h /dev/$name ] || files="$files /dev/$name"; done
  [ -z "$links" ] || cp -d $links $root
  [ -z "$folders" ] || (cd $root && mkdir -p $folders)
  [ -z "$files" ] || cp -d $files $root/dev
  ln -s pts/ptmx $root/dev/ptmx
  devices='null zero full random urandom tty'
  for name in $devices; do : >$root/dev/$name; done
  # Of /etc only what programs look up; the users of the machine are not among it.
  files=''
  for name in alternatives bash.bashrc hostname inputrc ld.so.cache ld.so.conf ld.so.conf.d localtime nsswitch.conf \
    perl profile terminfo timezone; do
    [ ! -r /etc/$name ] || files="$files /etc/$name"
  done
  [ -z "$files" ] || cp -dR $files $root/etc
  echo 'root:x:0:0:root:/tmp/home:/bin/bash' >$root/etc/passwd
  echo 'root:x:0:' >$root/etc/group
  echo '127.0.0.1 localhost' >$root/etc/hosts
}

# An fstab(5): one mount(8) for all of it takes less time than one each.
mount_table() {
  for name in usr $folders; do echo "/$name $root/$name none rbind,ro,nosuid,nodev 0 0"; done
  # Read-only, a device can be written to, and nobody changes its mode.
  for name in $devices; do echo "/dev/$name $root/dev/$name none bind,ro,nosuid,noexec 0 0"; done
  echo "devpts $root/dev/pts devpts newinstance,ptmxmode=0666,mode=600,nosuid,noexec 0 0"
  echo "tmpfs $root/dev/shm tmpfs mode=1777,nosuid,nodev 0 0"
  echo "tmpfs $root/tmp tmpfs mode=1777,nosuid,nodev 0 0"
  # What is not of a process is the machine's: a project that only root may read is run as the machine's root.
  for path in $root/proc/*/; do
    name=${path#$root/proc/}
    name=${name%/}
    case $name in [0-9]* | self | thread-self | net) continue ;; esac
    echo "$root/proc/$name $root/proc/$name none bind,ro,nosuid,nodev,noexec 0 0"
  done
  for name in kcore keys key-users kmsg latency_stats mtrr sched_debug sysrq-trigger timer_list; do
    [ ! -e /proc/$name ] || echo "/dev/null $root/proc/$name none bind,ro,nosuid,noexec 0 0"
  done
}

# Shows one more folder or file under its own path, and nothing of the folders above it.
show() {
  if [ -d "$1" ]; then
    mkdir -p "$root$1"
  else
    mkdir -p "$root${1%/*}"
    : >"$root$1"
  fi
  mount --no-canonicalize -o rbind,ro,nosuid,nodev "$1" "$root$1"
}

# A recursive bind makes only its top read-only: this is for mounts below /usr or the project, and for the root.
seal() {
  while read -r _ _ _ _ point options _; do
    case $point,$options, in
      /proc,* | /proc/*,* | /dev/pts,* | /dev/shm,* | /tmp,* | *,ro,*) continue ;;
    esac
    mount -o "remount,bind,ro,nosuid,nodev,${options#rw,}" "$(printf %b "$point")"
  done </proc/self/mountinfo
}

# Another user is one who owns nothing here. CAP_SYS_ADMIN is for kernels that let nobody else make user namespaces.
as_user() {
  user=$1
  shift
  if [ "$user" = same ]; then exec "$@"; fi
  exec setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --inh-caps=+sys_admin \
    --ambient-caps=+sys_admin -- "$@"
}

# Here everything that `build` mounted is locked (mount_namespaces(7)): it can not be unmounted or made writable,
# because this mount namespace belongs to a user namespace below that of `build`.
enter() {
  capabilities=$1 keyctl=$2
  shift 2
  # No further namespaces: their owner would have all capabilities again.
  for limit in /proc/self/fd/9/user/max_*_namespaces; do echo 0 >"$limit"; done
  exec 9<&-
  # A user namespace keeps the caller's session keyring. Without perl, so does the sandbox.
  if [ "$keyctl" -gt 0 ] && command -v perl >/dev/null; then
    set -- perl -e 'syscall(shift, 1, 0); exec { $ARGV[0] } @ARGV' "$keyctl" "$@"
  fi
  exec setpriv --no-new-privs --bounding-set="$capabilities" --inh-caps=-all --ambient-caps=-all -- "$@"
}

$step "$@"
