#!/bin/sh
# Offers a snapshot that another program has made. The call returns once the files are in the spool; they are sent in the
# background, and again later where the store is away. The same snapshot offered twice is sent once.
#
# usage: hook-run-example.sh VM MEMORY-FILE [DEVICE-STATE [DISK=IMAGE ...]]
set -eu

PARS_VM=$1
PARS_IMAGE=$2
PARS_STATE=${3:-}
shift 2
[ $# -eq 0 ] || shift
# Raw images of the moment of the memory, such as vda=/dumps/web.img. Paths with spaces need the form below.
PARS_DISKS=$*
export PARS_VM PARS_IMAGE PARS_STATE PARS_DISKS

exec nice -n 19 pars hook run

# The same as JSON on standard input:
#   echo '{"vm": "web", "image": "/dumps/web.mem", "disks": [{"name": "vda", "path": "/dumps/web.img"}]}' | pars hook run
