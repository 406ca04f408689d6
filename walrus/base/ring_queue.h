// RingQueue: a first-in-first-out queue that keeps its memory, where std::deque would allocate and
// free a node every few elements.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "walrus/base/assert.h"

namespace walrus {

template <class T>
class RingQueue {
public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return slots_[(first_ + i) & (slots_.size() - 1)]; }
    T& front() { return (*this)[0]; }
    T& back() { return (*this)[size_ - 1]; }

    void push_back(T value) {
        if (size_ == slots_.size()) grow();
        ++size_;
        back() = std::move(value);
    }
    void pop_front() {
        WALRUS_ASSERT(size_ > 0);
        front() = T{};
        first_ = (first_ + 1) & (slots_.size() - 1);
        --size_;
    }
    void clear() {
        while (!empty()) pop_front();
    }

private:
    void grow() {
        std::vector<T> larger(slots_.empty() ? 16 : 2 * slots_.size());
        for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
        slots_ = std::move(larger);
        first_ = 0;
    }

    std::vector<T> slots_;  // Invariant: the size is 0 or a power of two.
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace walrus
