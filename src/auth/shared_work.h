// One answer for everybody who asks the same thing at the same time: whoever comes first works, the others
// wait for what he finds. For work that is dear and whose answer is the same for all, like hashing a password
// that a fleet of clients presents at once. Holds what is under way and nothing else, so it is bounded by the
// number of threads. Thread-safe; blocks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace wharfage::auth {

template <class Answer>
class SharedWork {
 public:
  // `work` makes an Answer and does not throw.
  template <class Work>
  Answer run(const std::string& key, Work&& work) {
    std::unique_lock lock(x_mutex);
    auto [place, is_first] = x_under_way.try_emplace(key);
    if (!is_first) return wait(lock, place->second);
    auto round = place->second = std::make_shared<Round>();
    lock.unlock();
    Answer answer = work();
    lock.lock();
    round->answer = answer;
    x_under_way.erase(key);
    round->ended.notify_all();
    return answer;
  }

  std::size_t waiting() const {
    std::lock_guard lock(x_mutex);
    return x_waiting;
  }

 private:
  struct Round {
    std::optional<Answer> answer;
    std::condition_variable ended;
  };

  Answer wait(std::unique_lock<std::mutex>& lock, std::shared_ptr<Round> round) {
    ++x_waiting;
    round->ended.wait(lock, [&] { return round->answer.has_value(); });
    --x_waiting;
    return *round->answer;
  }

  mutable std::mutex x_mutex;
  std::unordered_map<std::string, std::shared_ptr<Round>> x_under_way;
  std::size_t x_waiting = 0;
};

}  // namespace wharfage::auth
