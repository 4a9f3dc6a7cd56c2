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
  // `work` makes an Answer. When it throws, for want of memory perhaps, one of those who waited works in its
  // place.
  template <class Work>
  Answer run(const std::string& key, Work&& work) {
    for (;;) {
      auto round = std::make_shared<Round>();
      std::unique_lock lock(x_mutex);
      auto [place, is_first] = x_under_way.try_emplace(key, round);
      if (is_first) {
        lock.unlock();
        return lead(key, *round, work);
      }
      round = place->second;
      wait(lock, *round);
      if (round->answer) return *round->answer;
    }
  }

  std::size_t waiting() const {
    std::lock_guard lock(x_mutex);
    return x_waiting;
  }

 private:
  struct Round {
    bool over = false;
    std::optional<Answer> answer;  // none when whoever worked has failed
    std::condition_variable ended;
  };

  // However the work ends, the round does.
  class Ending {
   public:
    Ending(SharedWork& work, const std::string& key, Round& round)
        : x_work(work), x_key(key), x_round(round) {}
    ~Ending() {
      std::lock_guard lock(x_work.x_mutex);
      x_work.x_under_way.erase(x_key);
      x_round.over = true;
      x_round.ended.notify_all();
    }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

   private:
    SharedWork& x_work;
    const std::string& x_key;
    Round& x_round;
  };

  template <class Work>
  Answer lead(const std::string& key, Round& round, Work& work) {
    Ending ending(*this, key, round);
    Answer answer = work();
    std::lock_guard lock(x_mutex);
    round.answer = answer;
    return answer;
  }

  void wait(std::unique_lock<std::mutex>& lock, Round& round) {
    ++x_waiting;
    round.ended.wait(lock, [&] { return round.over; });
    --x_waiting;
  }

  mutable std::mutex x_mutex;
  std::unordered_map<std::string, std::shared_ptr<Round>> x_under_way;
  std::size_t x_waiting = 0;
};

}  // namespace wharfage::auth
