// Gives back what a value holds. Assigning an empty string would not: the text goes, its memory stays.
#pragma once

#include <utility>

namespace wharfage {

template <class T>
void release(T& value) {
  [[maybe_unused]] T gone = std::move(value);
  value = T();
}

}  // namespace wharfage
