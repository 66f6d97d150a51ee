;; sum in float64 of four lanes each as float32
(func $lanes (param $low v128) (param $high v128) (result f64)
  (local $sum v128)
  (local.set $sum (f64x2.add (local.get $low) (local.get $high)))
  (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

(func $upper (param $v v128) (result v128)
  (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))

;; y = (x - mean) * deviation * scale + shift over runs of `width` channels at every position of a unit;
;; mean and 1 / deviation of each (unit, group) to `stats`
(func (export "normalise")
  (param $units i32) (param $positions i32) (param $groups i32) (param $width i32)
  (param $x i32) (param $scale i32) (param $shift i32) (param $y i32) (param $stats i32) (param $epsilon f64)
  (local $run i32) (local $row i32) (local $unit i32) (local $n f64) (local $g i32) (local $p i32) (local $j i32)
  (local $from i32) (local $at i32) (local $to i32) (local $low v128) (local $high v128) (local $v v128)
  (local $mean v128) (local $slope v128)
  (local.set $run (i32.shl (local.get $width) (i32.const 2)))
  (local.set $row (i32.mul (local.get $run) (local.get $groups)))
  (local.set $unit (i32.mul (local.get $row) (local.get $positions)))
  (local.set $n (f64.convert_i32_u (i32.mul (local.get $positions) (local.get $width))))
  (loop $everyUnit
    (local.set $g (i32.const 0))
    (loop $everyGroup
      (local.set $from (i32.add (local.get $x) (local.get $g)))
      ;; mean
      (local.set $low (v128.const f64x2 0 0))
      (local.set $high (v128.const f64x2 0 0))
      (local.set $at (local.get $from))
      (local.set $p (local.get $positions))
      (loop $position
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $v (v128.load (i32.add (local.get $at) (local.get $j))))
          (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
          (local.set $high (f64x2.add (local.get $high) (call $upper (local.get $v))))
          (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $run))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br_if $position (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
      (local.set $mean (f32x4.splat (f32.demote_f64
        (f64.div (call $lanes (local.get $low) (local.get $high)) (local.get $n)))))
      ;; variance
      (local.set $low (v128.const f64x2 0 0))
      (local.set $high (v128.const f64x2 0 0))
      (local.set $at (local.get $from))
      (local.set $p (local.get $positions))
      (loop $position
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $v (f32x4.sub (v128.load (i32.add (local.get $at) (local.get $j))) (local.get $mean)))
          (local.set $v (f32x4.mul (local.get $v) (local.get $v)))
          (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
          (local.set $high (f64x2.add (local.get $high) (call $upper (local.get $v))))
          (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $run))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br_if $position (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
      (local.set $slope (f32x4.splat (f32.demote_f64 (f64.div (f64.const 1) (f64.sqrt (f64.add (local.get $epsilon)
        (f64.div (call $lanes (local.get $low) (local.get $high)) (local.get $n))))))))
      (f32.store (local.get $stats) (f32x4.extract_lane 0 (local.get $mean)))
      (f32.store offset=4 (local.get $stats) (f32x4.extract_lane 0 (local.get $slope)))
      (local.set $stats (i32.add (local.get $stats) (i32.const 8)))
      ;; output
      (local.set $at (local.get $from))
      (local.set $to (i32.add (local.get $y) (local.get $g)))
      (local.set $p (local.get $positions))
      (loop $position
        (local.set $j (i32.const 0))
        (loop $lane
          (v128.store (i32.add (local.get $to) (local.get $j)) (f32x4.add
            (f32x4.mul
              (f32x4.mul (f32x4.sub (v128.load (i32.add (local.get $at) (local.get $j))) (local.get $mean)) (local.get $slope))
              (v128.load (i32.add (i32.add (local.get $scale) (local.get $g)) (local.get $j))))
            (v128.load (i32.add (i32.add (local.get $shift) (local.get $g)) (local.get $j)))))
          (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $run))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (local.set $to (i32.add (local.get $to) (local.get $row)))
        (br_if $position (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
      (br_if $everyGroup (i32.lt_u (local.tee $g (i32.add (local.get $g) (local.get $run))) (local.get $row))))
    (local.set $x (i32.add (local.get $x) (local.get $unit)))
    (local.set $y (i32.add (local.get $y) (local.get $unit)))
    (br_if $everyUnit (local.tee $units (i32.sub (local.get $units) (i32.const 1))))))

;; gradient of normalise by x; `turned` = dy * normal value, whose column sums are the gradient by scale
(func (export "normalise_backward")
  (param $units i32) (param $positions i32) (param $groups i32) (param $width i32)
  (param $x i32) (param $scale i32) (param $stats i32) (param $dy i32) (param $turned i32) (param $dx i32)
  (local $run i32) (local $row i32) (local $unit i32) (local $n f64) (local $g i32) (local $p i32) (local $j i32)
  (local $at i32) (local $to i32) (local $low v128) (local $high v128) (local $tLow v128) (local $tHigh v128)
  (local $v v128) (local $t v128) (local $mean v128) (local $slope v128) (local $first v128) (local $second v128)
  (local.set $run (i32.shl (local.get $width) (i32.const 2)))
  (local.set $row (i32.mul (local.get $run) (local.get $groups)))
  (local.set $unit (i32.mul (local.get $row) (local.get $positions)))
  (local.set $n (f64.convert_i32_u (i32.mul (local.get $positions) (local.get $width))))
  (loop $everyUnit
    (local.set $g (i32.const 0))
    (loop $everyGroup
      (local.set $mean (v128.load32_splat (local.get $stats)))
      (local.set $slope (v128.load32_splat offset=4 (local.get $stats)))
      (local.set $stats (i32.add (local.get $stats) (i32.const 8)))
      (local.set $low (v128.const f64x2 0 0))
      (local.set $high (v128.const f64x2 0 0))
      (local.set $tLow (v128.const f64x2 0 0))
      (local.set $tHigh (v128.const f64x2 0 0))
      (local.set $at (local.get $g))
      (local.set $p (local.get $positions))
      (loop $position
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $to (i32.add (local.get $at) (local.get $j)))
          (local.set $v (v128.load (i32.add (local.get $dy) (local.get $to))))
          (local.set $t (f32x4.mul (local.get $v) (f32x4.mul (local.get $slope)
            (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $to))) (local.get $mean)))))
          (v128.store (i32.add (local.get $turned) (local.get $to)) (local.get $t))
          (local.set $first (v128.load (i32.add (i32.add (local.get $scale) (local.get $g)) (local.get $j))))
          (local.set $v (f32x4.mul (local.get $v) (local.get $first)))
          (local.set $t (f32x4.mul (local.get $t) (local.get $first)))
          (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
          (local.set $high (f64x2.add (local.get $high) (call $upper (local.get $v))))
          (local.set $tLow (f64x2.add (local.get $tLow) (f64x2.promote_low_f32x4 (local.get $t))))
          (local.set $tHigh (f64x2.add (local.get $tHigh) (call $upper (local.get $t))))
          (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $run))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br_if $position (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
      (local.set $first (f32x4.splat (f32.demote_f64
        (f64.div (call $lanes (local.get $low) (local.get $high)) (local.get $n)))))
      (local.set $second (f32x4.splat (f32.demote_f64
        (f64.div (call $lanes (local.get $tLow) (local.get $tHigh)) (local.get $n)))))
      (local.set $at (local.get $g))
      (local.set $p (local.get $positions))
      (loop $position
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $to (i32.add (local.get $at) (local.get $j)))
          (local.set $v (f32x4.mul (local.get $slope)
            (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $to))) (local.get $mean))))
          (v128.store (i32.add (local.get $dx) (local.get $to)) (f32x4.mul (local.get $slope) (f32x4.sub
            (f32x4.sub
              (f32x4.mul (v128.load (i32.add (local.get $dy) (local.get $to)))
                (v128.load (i32.add (i32.add (local.get $scale) (local.get $g)) (local.get $j))))
              (local.get $first))
            (f32x4.mul (local.get $v) (local.get $second)))))
          (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $run))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br_if $position (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
      (br_if $everyGroup (i32.lt_u (local.tee $g (i32.add (local.get $g) (local.get $run))) (local.get $row))))
    (local.set $x (i32.add (local.get $x) (local.get $unit)))
    (local.set $dy (i32.add (local.get $dy) (local.get $unit)))
    (local.set $turned (i32.add (local.get $turned) (local.get $unit)))
    (local.set $dx (i32.add (local.get $dx) (local.get $unit)))
    (br_if $everyUnit (local.tee $units (i32.sub (local.get $units) (i32.const 1))))))
