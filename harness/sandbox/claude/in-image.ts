import { placesBelow } from '../../probe/places.ts'
import { type Script, wrappedFolders, wrapperFolder, wrappers } from './wrapper.ts'

/** Links that the image gets when it is made: only then is it known where these programs lie in it. */
const [node, npx] = ['/opt/leakrig/node', '/opt/leakrig/npx']

/** The wrappers for an image. */
export const imageWrappers = (program: string): Script[] => wrappers({ node, program, npx })

/**
 * Puts the wrappers in the place of every claude in the image, as root. Its arguments are the user that the image runs as,
 * and paths of further claudes. That user's home in passwd becomes the sandbox's: a program without HOME takes that one, and
 * nothing else can be written.
 */
export const putWrappers = `set -e
uid=\${1%%:*}
case $uid in *[!0-9]*) uid=$(id -u "$uid") ;; esac
shift
link() { real=$(readlink -f "$(type -P "$1")") && [ -n "$real" ] || return 0
  case $real in ${wrappedFolders.map(folder => `${folder}/*`).join(' | ')}) [ "$1" = node ] || { cp -p "$real" "$2"; return; } ;; esac
  ln -sf "$real" "$2"; }
link node ${node}
link npx ${npx}
for one in $(type -ap claude) "$@"; do
  mkdir -p "\${one%/*}"
  real=$(readlink -f "$one")
  cp --remove-destination ${wrapperFolder}/claude "$real"
done
for folder in ${wrappedFolders.join(' ')}; do ln -sf ${wrapperFolder}/claude ${wrapperFolder}/npx "$folder"; done
home=${placesBelow('/tmp').home}
if grep -q "^[^:]*:[^:]*:$uid:" /etc/passwd
then sed -i -E "s#^([^:]*:[^:]*:$uid:[^:]*:[^:]*:)[^:]*:#\\1$home:#" /etc/passwd
else echo "agent:x:$uid:$uid::$home:/bin/bash" >>/etc/passwd
fi`
