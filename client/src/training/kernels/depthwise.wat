;; to += a · b
(func $addProducts (param $to i32) (param $a i32) (param $b i32) (param $bytes i32)
  (local $i i32)
  (loop $lane
    (v128.store (i32.add (local.get $to) (local.get $i))
      (f32x4.add
        (v128.load (i32.add (local.get $to) (local.get $i)))
        (f32x4.mul
          (v128.load (i32.add (local.get $a) (local.get $i)))
          (v128.load (i32.add (local.get $b) (local.get $i))))))
    (br_if $lane (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (local.get $bytes)))))

;; every tap of every window that lies inside: y += x · kernel, or (`back`) x += y · kernel
(func $taps
  (param $back i32) (param $batch i32) (param $steps i32) (param $channels i32) (param $taps i32) (param $stride i32)
  (param $dilation i32) (param $before i32) (param $positions i32) (param $x i32) (param $kernel i32) (param $y i32)
  (local $bytes i32) (local $position i32) (local $step i32) (local $t i32) (local $tap i32) (local $at i32)
  (local.set $bytes (i32.shl (local.get $channels) (i32.const 2)))
  (loop $unit
    (local.set $position (i32.const 0))
    (loop $window
      (local.set $step (i32.sub (i32.mul (local.get $position) (local.get $stride)) (local.get $before)))
      (local.set $tap (local.get $kernel))
      (local.set $t (local.get $taps))
      (loop $next
        ;; unsigned: what lies before the first step is larger than any size
        (if (i32.lt_u (local.get $step) (local.get $steps))
          (then
            (local.set $at (i32.add (local.get $x) (i32.mul (local.get $step) (local.get $bytes))))
            (if (local.get $back)
              (then (call $addProducts (local.get $at) (local.get $y) (local.get $tap) (local.get $bytes)))
              (else (call $addProducts (local.get $y) (local.get $at) (local.get $tap) (local.get $bytes))))))
        (local.set $step (i32.add (local.get $step) (local.get $dilation)))
        (local.set $tap (i32.add (local.get $tap) (local.get $bytes)))
        (br_if $next (local.tee $t (i32.sub (local.get $t) (i32.const 1)))))
      (local.set $y (i32.add (local.get $y) (local.get $bytes)))
      (br_if $window (i32.lt_u
        (local.tee $position (i32.add (local.get $position) (i32.const 1))) (local.get $positions))))
    (local.set $x (i32.add (local.get $x) (i32.mul (local.get $steps) (local.get $bytes))))
    (br_if $unit (local.tee $batch (i32.sub (local.get $batch) (i32.const 1))))))

(func (export "depthwise")
  (param $batch i32) (param $steps i32) (param $channels i32) (param $taps i32) (param $stride i32)
  (param $dilation i32) (param $before i32) (param $positions i32) (param $x i32) (param $kernel i32) (param $y i32)
  (call $taps (i32.const 0) (local.get $batch) (local.get $steps) (local.get $channels) (local.get $taps)
    (local.get $stride) (local.get $dilation) (local.get $before) (local.get $positions)
    (local.get $x) (local.get $kernel) (local.get $y)))

(func (export "depthwise_input")
  (param $batch i32) (param $steps i32) (param $channels i32) (param $taps i32) (param $stride i32)
  (param $dilation i32) (param $before i32) (param $positions i32) (param $x i32) (param $kernel i32) (param $y i32)
  (call $taps (i32.const 1) (local.get $batch) (local.get $steps) (local.get $channels) (local.get $taps)
    (local.get $stride) (local.get $dilation) (local.get $before) (local.get $positions)
    (local.get $x) (local.get $kernel) (local.get $y)))

;; kernel = Σ x · y over the windows, four channels of a tap at a time, in float64
(func (export "depthwise_kernel")
  (param $batch i32) (param $steps i32) (param $channels i32) (param $taps i32) (param $stride i32)
  (param $dilation i32) (param $before i32) (param $positions i32) (param $x i32) (param $kernel i32) (param $y i32)
  (local $bytes i32) (local $lane i32) (local $first i32) (local $unit i32) (local $position i32) (local $step i32)
  (local $from i32) (local $at i32) (local $t i32) (local $low v128) (local $high v128) (local $a v128) (local $b v128)
  (local.set $bytes (i32.shl (local.get $channels) (i32.const 2)))
  (local.set $first (i32.sub (i32.const 0) (local.get $before)))
  (local.set $t (local.get $taps))
  (loop $tap
    (local.set $lane (i32.const 0))
    (loop $four
      (local.set $low (v128.const f64x2 0 0))
      (local.set $high (v128.const f64x2 0 0))
      (local.set $from (i32.add (local.get $x) (local.get $lane)))
      (local.set $at (i32.add (local.get $y) (local.get $lane)))
      (local.set $unit (local.get $batch))
      (loop $sequence
        (local.set $step (local.get $first))
        (local.set $position (local.get $positions))
        (loop $window
          (if (i32.lt_u (local.get $step) (local.get $steps))
            (then
              (local.set $a (v128.load (i32.add (local.get $from) (i32.mul (local.get $step) (local.get $bytes)))))
              (local.set $b (v128.load (local.get $at)))
              (local.set $low (f64x2.add (local.get $low) (f64x2.mul
                (f64x2.promote_low_f32x4 (local.get $a)) (f64x2.promote_low_f32x4 (local.get $b)))))
              (local.set $high (f64x2.add (local.get $high) (f64x2.mul
                (f64x2.promote_low_f32x4
                  (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $a) (local.get $a)))
                (f64x2.promote_low_f32x4
                  (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $b) (local.get $b))))))))
          (local.set $at (i32.add (local.get $at) (local.get $bytes)))
          (local.set $step (i32.add (local.get $step) (local.get $stride)))
          (br_if $window (local.tee $position (i32.sub (local.get $position) (i32.const 1)))))
        (local.set $from (i32.add (local.get $from) (i32.mul (local.get $steps) (local.get $bytes))))
        (br_if $sequence (local.tee $unit (i32.sub (local.get $unit) (i32.const 1)))))
      (v128.store (i32.add (local.get $kernel) (local.get $lane))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero (local.get $low)) (f32x4.demote_f64x2_zero (local.get $high))))
      (br_if $four (i32.lt_u (local.tee $lane (i32.add (local.get $lane) (i32.const 16))) (local.get $bytes))))
    (local.set $kernel (i32.add (local.get $kernel) (local.get $bytes)))
    (local.set $first (i32.add (local.get $first) (local.get $dilation)))
    (br_if $tap (local.tee $t (i32.sub (local.get $t) (i32.const 1))))))
