/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

int command_activate(int argc, char **argv);
