#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the machine: one test of tests/system as released, with limits for an emulated processor.
set -eu
mkdir -p /build
cp -a build/bin build/tests /build/
export BIN=/build/bin TEST_LIMIT=2000 COMMAND_LIMIT=600 WAIT_LIMIT=300
exec "tests/system/$1.sh"
