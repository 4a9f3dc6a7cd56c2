// How a command of the one binary ends: its exit code, and what people are told of an error. Pure, but for
// complain(), which writes to standard error.
#pragma once

#include <iostream>
#include <string>

#include "base/result.h"

namespace wharfage::node {

constexpr int exit_ok = 0, exit_error = 1, exit_usage = 2;
constexpr int exit_faults = 7;  // faults are left, or bytes are lost

inline std::string text_of(const Error& error) {
  return error.message + (error.detail.empty() ? "" : " (" + error.detail + ")");
}

inline int complain(const Error& error) {
  std::cerr << "wharfage: " << text_of(error) << "\n";
  return exit_error;
}

}  // namespace wharfage::node
