#!/bin/sh
# The namespace sandbox, in three steps. Each step starts the next one with the remaining arguments.
#   guard   runs outside and ends the sandbox when the rig is gone
#   build   is process 1: it makes a root folder of what a run needs, and reaps every orphan
#   enter   gives away all rights that a run does not need
set -eu
step=$1
shift

# All processes inside have one user id and may signal each other, so the guard stays outside. Descriptor 3 is the
# lifeline: the rig holds its other end, and the kernel closes that end when the rig is killed.
guard() {
  flags=$1
  shift
  # A background command would get /dev/null for its standard input; the probe needs ours.
  exec 4<&0
  # shellcheck disable=SC2086 # the flags are words
  (exec <&4 3<&- 4<&- && exec unshare $flags -- sh "$0" build "$@") &
  child=$!
  # The rig takes the end of standard output for the end of the sandbox, so no other process may hold it.
  exec </dev/null >/dev/null 4<&-
  read -r _ <&3 || true
  # Until `wait` collects the child, its pid cannot be reused.
  kill -KILL "$child" 2>/dev/null || true
  wait "$child"
}

# $1: user and group to run as, "uid:gid", or "same". $2: how many arguments with paths follow, and these: each a folder or
# file that the root shows. $3, after them: how many arguments with links follow, and these: each a path and its target.
# In the same way the scripts that the root has, each a path and its text, the first of which is the fake claude; the folders
# that they are to be found in, too; and the paths of other claudes. Then the capabilities, as an argument of setpriv(1), the
# kind of namespace that may be made, or none, the number of the system call keyctl(2), or 0, and the command.
build() {
  user=$1
  shift
  umask 022
  # A run needs nothing in /sys, and no project lies there.
  root=/sys
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs $root
  copy_system
  mount -t proc -o nosuid,nodev,noexec proc $root/proc
  # A way to the limits of `enter` that does not lead through the read-only /proc/sys.
  exec 9<$root/proc/sys
  mount_table >$root/etc/fstab
  mount --all --fstab $root/etc/fstab
  left=$1
  shift
  while [ "$left" -gt 0 ]; do
    [ -e "$root$1" ] || show "$1"
    shift
    left=$((left - 1))
  done
  left=$1
  shift
  while [ "$left" -gt 0 ]; do
    [ -e "$root$1" ] || link "$1" "$2"
    shift 2
    left=$((left - 2))
  done
  left=$1 claude=$2
  shift
  while [ "$left" -gt 0 ]; do
    mkdir -p "$root${1%/*}"
    printf %s "$2" >"$root$1"
    chmod 755 "$root$1"
    shift 2
    left=$((left - 2))
  done
  (cd $root && pivot_root . mnt)
  cd /
  umount -l /mnt
  left=$1
  shift
  while [ "$left" -gt 0 ]; do
    add_to "$1"
    shift
    left=$((left - 1))
  done
  left=$1
  shift
  while [ "$left" -gt 0 ]; do
    cover "$1"
    shift
    left=$((left - 1))
  done
  seal
  cd /tmp
  exec 4<&0
  (exec <&4 4<&- && as_user "$user" unshare --user --map-root-user --mount -- sh "$0" enter "$@") &
  exec 9<&-
  wait $!
}

# The folders and files of the root. Small ones are copied, which is faster than mounting them.
# shellcheck disable=SC2086 # lists of plain names
copy_system() {
  mkdir -p $root/dev/pts $root/dev/shm $root/etc $root/mnt $root/proc $root/tmp $root/usr
  links='' folders='' files=''
  # Only the stores themselves: through a read-only mount one could still connect to a socket, such as that of nix's daemon.
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
  # Only the files of /etc that programs read. The machine's users are not among them.
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

# An fstab(5), because one mount(8) for all entries is faster than one for each.
mount_table() {
  for name in usr $folders; do echo "/$name $root/$name none rbind,ro,nosuid,nodev 0 0"; done
  # On a read-only mount a device can still be written to, but its mode cannot be changed.
  for name in $devices; do echo "/dev/$name $root/dev/$name none bind,ro,nosuid,noexec 0 0"; done
  echo "devpts $root/dev/pts devpts newinstance,ptmxmode=0666,mode=600,nosuid,noexec 0 0"
  echo "tmpfs $root/dev/shm tmpfs mode=1777,nosuid,nodev 0 0"
  echo "tmpfs $root/tmp tmpfs mode=1777,nosuid,nodev 0 0"
  # Entries of /proc that belong to no process are the machine's, and the sandbox may run as the machine's root.
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

# Makes a link to something that is shown.
link() {
  mkdir -p "$root${1%/*}"
  ln -s "$2" "$root$1"
}

# Adds the scripts to a folder of the system, before whatever has their names there. A kernel before 5.11 may refuse that to
# users other than root; the scripts are then found by the sandbox's PATH alone.
add_to() {
  if [ ! -d "$1" ] || [ -h "$1" ]; then return; fi
  mount -t overlay -o "ro,nosuid,nodev,lowerdir=${claude%/*}:$1" overlay "$1" 2>/dev/null || true
}

# Puts the fake claude in the place of another one, or where another one would be.
cover() {
  if [ ! -e "$1" ]; then
    mkdir -p "${1%/*}"
    cp "$claude" "$1"
  elif ! cmp -s "$claude" "$1"; then
    mount --no-canonicalize -o bind,ro,nosuid,nodev "$claude" "$(readlink -f "$1")"
  fi
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

# Runs a command as another user, who owns nothing here. CAP_SYS_ADMIN is for kernels that require it for user namespaces.
as_user() {
  user=$1
  shift
  if [ "$user" = same ]; then exec "$@"; fi
  exec setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --inh-caps=+sys_admin \
    --ambient-caps=+sys_admin -- "$@"
}

# All mounts of `build` are locked here (mount_namespaces(7)): they cannot be unmounted or made writable, because this
# mount namespace belongs to a user namespace below that of `build`.
enter() {
  capabilities=$1 allowed=$2 keyctl=$3
  shift 3
  # No further namespaces: the owner of one for users would have all capabilities again. One for pids gives none.
  for limit in /proc/self/fd/9/user/max_*_namespaces; do
    case $limit in */max_"$allowed"_namespaces) continue ;; esac
    echo 0 >"$limit"
  done
  exec 9<&-
  # A user namespace keeps the caller's session keyring, so keyctl(2) joins a new one. Without perl it is kept.
  if [ "$keyctl" -gt 0 ] && command -v perl >/dev/null; then
    set -- perl -e 'syscall(shift, 1, 0); exec { $ARGV[0] } @ARGV' "$keyctl" "$@"
  fi
  exec setpriv --no-new-privs --bounding-set="$capabilities" --inh-caps=-all --ambient-caps=-all -- "$@"
}

$step "$@"
