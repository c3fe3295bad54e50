/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

int command_init(int argc, char **argv);
