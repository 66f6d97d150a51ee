;; Loops of the layers over float32 on the TensorFlow.js heap, four numbers at a time.
;; Pointers are byte offsets; widths (units, columns) are multiples of 4 and above 0. Callers check both.
(module
  (import "env" "memory" (memory 0))

  ;; rational approximation of tanh, as in ops/activation.ts
  (func $tanh (param $x v128) (result v128)
    (local $s v128)
    (local.set $x (f32x4.max (f32x4.min (local.get $x) (v128.const f32x4 7.90531110763549805 7.90531110763549805 7.90531110763549805 7.90531110763549805)) (v128.const f32x4 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805)))
    (local.set $s (f32x4.mul (local.get $x) (local.get $x)))
    (f32x4.div
      (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (v128.const f32x4 -2.76076847742355e-16 -2.76076847742355e-16 -2.76076847742355e-16 -2.76076847742355e-16) (local.get $s)) (v128.const f32x4 2.00018790482477e-13 2.00018790482477e-13 2.00018790482477e-13 2.00018790482477e-13)) (local.get $s)) (v128.const f32x4 -8.60467152213735e-11 -8.60467152213735e-11 -8.60467152213735e-11 -8.60467152213735e-11)) (local.get $s)) (v128.const f32x4 5.12229709037114e-8 5.12229709037114e-8 5.12229709037114e-8 5.12229709037114e-8)) (local.get $s)) (v128.const f32x4 1.48572235717979e-5 1.48572235717979e-5 1.48572235717979e-5 1.48572235717979e-5)) (local.get $s)) (v128.const f32x4 6.37261928875436e-4 6.37261928875436e-4 6.37261928875436e-4 6.37261928875436e-4)) (local.get $s)) (v128.const f32x4 4.89352455891786e-3 4.89352455891786e-3 4.89352455891786e-3 4.89352455891786e-3)) (local.get $x))
      (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (v128.const f32x4 1.19825839466702e-6 1.19825839466702e-6 1.19825839466702e-6 1.19825839466702e-6) (local.get $s)) (v128.const f32x4 1.18534705686654e-4 1.18534705686654e-4 1.18534705686654e-4 1.18534705686654e-4)) (local.get $s)) (v128.const f32x4 2.268434632439e-3 2.268434632439e-3 2.268434632439e-3 2.268434632439e-3)) (local.get $s)) (v128.const f32x4 4.89352518554385e-3 4.89352518554385e-3 4.89352518554385e-3 4.89352518554385e-3))))

  (func $sigmoid (param $x v128) (result v128)
    (f32x4.add (v128.const f32x4 0.5 0.5 0.5 0.5) (f32x4.mul (v128.const f32x4 0.5 0.5 0.5 0.5) (call $tanh (f32x4.mul (v128.const f32x4 0.5 0.5 0.5 0.5) (local.get $x))))))

  ;; one step of gruCell.forward
  (func (export "gru_forward")
    (param $batch i32) (param $units i32) (param $x i32) (param $h i32) (param $bias i32)
    (param $prev i32) (param $state i32) (param $cache i32)
    (local $w i32) (local $j i32) (local $z v128) (local $r v128) (local $n v128) (local $inner v128)
    (local.set $w (i32.shl (local.get $units) (i32.const 2)))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $batch)))
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $z (call $sigmoid (f32x4.add (f32x4.add (v128.load (i32.add (local.get $x) (local.get $j))) (v128.load (i32.add (local.get $h) (local.get $j)))) (f32x4.add (v128.load (i32.add (local.get $bias) (local.get $j))) (v128.load (i32.add (i32.add (local.get $bias) (local.get $j)) (i32.mul (local.get $w) (i32.const 3))))))))
          (local.set $r (call $sigmoid (f32x4.add (f32x4.add (v128.load (i32.add (i32.add (local.get $x) (local.get $j)) (local.get $w))) (v128.load (i32.add (i32.add (local.get $h) (local.get $j)) (local.get $w)))) (f32x4.add (v128.load (i32.add (i32.add (local.get $bias) (local.get $j)) (local.get $w))) (v128.load (i32.add (i32.add (local.get $bias) (local.get $j)) (i32.mul (local.get $w) (i32.const 4))))))))
          (local.set $inner (f32x4.add (v128.load (i32.add (i32.add (local.get $h) (local.get $j)) (i32.mul (local.get $w) (i32.const 2)))) (v128.load (i32.add (i32.add (local.get $bias) (local.get $j)) (i32.mul (local.get $w) (i32.const 5))))))
          (local.set $n (call $tanh (f32x4.add (f32x4.add (v128.load (i32.add (i32.add (local.get $x) (local.get $j)) (i32.mul (local.get $w) (i32.const 2)))) (v128.load (i32.add (i32.add (local.get $bias) (local.get $j)) (i32.mul (local.get $w) (i32.const 2))))) (f32x4.mul (local.get $r) (local.get $inner)))))
          (v128.store (i32.add (local.get $state) (local.get $j)) (f32x4.add (local.get $n) (f32x4.mul (local.get $z) (f32x4.sub (v128.load (i32.add (local.get $prev) (local.get $j))) (local.get $n)))))
          (v128.store (i32.add (local.get $cache) (local.get $j)) (local.get $z))
          (v128.store (i32.add (i32.add (local.get $cache) (local.get $j)) (local.get $w)) (local.get $r))
          (v128.store (i32.add (i32.add (local.get $cache) (local.get $j)) (i32.mul (local.get $w) (i32.const 2))) (local.get $n))
          (v128.store (i32.add (i32.add (local.get $cache) (local.get $j)) (i32.mul (local.get $w) (i32.const 3))) (local.get $inner))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $x (i32.add (local.get $x) (i32.mul (local.get $w) (i32.const 3))))
        (local.set $h (i32.add (local.get $h) (i32.mul (local.get $w) (i32.const 3))))
        (local.set $prev (i32.add (local.get $prev) (local.get $w)))
        (local.set $state (i32.add (local.get $state) (local.get $w)))
        (local.set $cache (i32.add (local.get $cache) (i32.mul (local.get $w) (i32.const 4))))
        (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
        (br $row))))

  ;; one step of gruCell.backward
  (func (export "gru_backward")
    (param $batch i32) (param $units i32) (param $dstate i32) (param $prev i32) (param $cache i32)
    (param $dx i32) (param $dh i32)
    (local $w i32) (local $j i32) (local $z v128) (local $r v128) (local $n v128) (local $d v128)
    (local $dz v128) (local $dr v128) (local $dn v128)
    (local.set $w (i32.shl (local.get $units) (i32.const 2)))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $batch)))
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $z (v128.load (i32.add (local.get $cache) (local.get $j))))
          (local.set $r (v128.load (i32.add (i32.add (local.get $cache) (local.get $j)) (local.get $w))))
          (local.set $n (v128.load (i32.add (i32.add (local.get $cache) (local.get $j)) (i32.mul (local.get $w) (i32.const 2)))))
          (local.set $d (v128.load (i32.add (local.get $dstate) (local.get $j))))
          (local.set $dn (f32x4.mul (f32x4.mul (local.get $d) (f32x4.sub (v128.const f32x4 1 1 1 1) (local.get $z))) (f32x4.sub (v128.const f32x4 1 1 1 1) (f32x4.mul (local.get $n) (local.get $n)))))
          (local.set $dz (f32x4.mul (f32x4.mul (f32x4.mul (local.get $d) (f32x4.sub (v128.load (i32.add (local.get $prev) (local.get $j))) (local.get $n))) (local.get $z)) (f32x4.sub (v128.const f32x4 1 1 1 1) (local.get $z))))
          (local.set $dr (f32x4.mul (f32x4.mul (f32x4.mul (local.get $dn) (v128.load (i32.add (i32.add (local.get $cache) (local.get $j)) (i32.mul (local.get $w) (i32.const 3))))) (local.get $r)) (f32x4.sub (v128.const f32x4 1 1 1 1) (local.get $r))))
          (v128.store (i32.add (local.get $dx) (local.get $j)) (local.get $dz))
          (v128.store (i32.add (i32.add (local.get $dx) (local.get $j)) (local.get $w)) (local.get $dr))
          (v128.store (i32.add (i32.add (local.get $dx) (local.get $j)) (i32.mul (local.get $w) (i32.const 2))) (local.get $dn))
          (v128.store (i32.add (local.get $dh) (local.get $j)) (local.get $dz))
          (v128.store (i32.add (i32.add (local.get $dh) (local.get $j)) (local.get $w)) (local.get $dr))
          (v128.store (i32.add (i32.add (local.get $dh) (local.get $j)) (i32.mul (local.get $w) (i32.const 2))) (f32x4.mul (local.get $dn) (local.get $r)))
          (v128.store (i32.add (local.get $dstate) (local.get $j)) (f32x4.mul (local.get $d) (local.get $z)))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $dstate (i32.add (local.get $dstate) (local.get $w)))
        (local.set $prev (i32.add (local.get $prev) (local.get $w)))
        (local.set $cache (i32.add (local.get $cache) (i32.mul (local.get $w) (i32.const 4))))
        (local.set $dx (i32.add (local.get $dx) (i32.mul (local.get $w) (i32.const 3))))
        (local.set $dh (i32.add (local.get $dh) (i32.mul (local.get $w) (i32.const 3))))
        (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
        (br $row))))

  ;; z = max(z + bias, 0), row by row; NaN stays NaN
  (func (export "bias_relu") (param $batch i32) (param $units i32) (param $z i32) (param $bias i32)
    (local $w i32) (local $j i32)
    (local.set $w (i32.shl (local.get $units) (i32.const 2)))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $batch)))
        (local.set $j (i32.const 0))
        (loop $lane
          (v128.store (i32.add (local.get $z) (local.get $j)) (f32x4.max (f32x4.add (v128.load (i32.add (local.get $z) (local.get $j))) (v128.load (i32.add (local.get $bias) (local.get $j)))) (v128.const f32x4 0 0 0 0)))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $z (i32.add (local.get $z) (local.get $w)))
        (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
        (br $row))))

  ;; z = tanh(z + bias), row by row
  (func (export "bias_tanh") (param $batch i32) (param $units i32) (param $z i32) (param $bias i32)
    (local $w i32) (local $j i32)
    (local.set $w (i32.shl (local.get $units) (i32.const 2)))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $batch)))
        (local.set $j (i32.const 0))
        (loop $lane
          (v128.store (i32.add (local.get $z) (local.get $j)) (call $tanh (f32x4.add (v128.load (i32.add (local.get $z) (local.get $j))) (v128.load (i32.add (local.get $bias) (local.get $j))))))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $z (i32.add (local.get $z) (local.get $w)))
        (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
        (br $row))))

  ;; out = gradient where y > 0, else 0; `bytes` is a multiple of 16
  (func (export "relu_backward") (param $bytes i32) (param $y i32) (param $gradient i32) (param $out i32)
    (local $j i32)
    (block $done
      (loop $lane
        (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
        (v128.store (i32.add (local.get $out) (local.get $j)) (v128.and (v128.load (i32.add (local.get $gradient) (local.get $j))) (f32x4.gt (v128.load (i32.add (local.get $y) (local.get $j))) (v128.const f32x4 0 0 0 0))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br $lane))))

  ;; out = gradient * (1 - y * y); `bytes` is a multiple of 16
  (func (export "tanh_backward") (param $bytes i32) (param $y i32) (param $gradient i32) (param $out i32)
    (local $j i32) (local $v v128)
    (block $done
      (loop $lane
        (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
        (local.set $v (v128.load (i32.add (local.get $y) (local.get $j))))
        (v128.store (i32.add (local.get $out) (local.get $j))
          (f32x4.mul (v128.load (i32.add (local.get $gradient) (local.get $j)))
            (f32x4.sub (v128.const f32x4 1 1 1 1) (f32x4.mul (local.get $v) (local.get $v)))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br $lane))))

  ;; column sums in float64, rounded once, four columns at a time
  (func (export "column_sums") (param $rows i32) (param $columns i32) (param $matrix i32) (param $out i32)
    (local $w i32) (local $j i32) (local $at i32) (local $left i32) (local $v v128) (local $low v128) (local $high v128)
    (local.set $w (i32.shl (local.get $columns) (i32.const 2)))
    (loop $lane
      (local.set $low (v128.const f64x2 0 0))
      (local.set $high (v128.const f64x2 0 0))
      (local.set $at (i32.add (local.get $matrix) (local.get $j)))
      (local.set $left (local.get $rows))
      (block $done
        (loop $row
          (br_if $done (i32.eqz (local.get $left)))
          (local.set $v (v128.load (local.get $at)))
          (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
          (local.set $high (f64x2.add (local.get $high) (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v)))))
          (local.set $at (i32.add (local.get $at) (local.get $w)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $row)))
      (v128.store (i32.add (local.get $out) (local.get $j))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero (local.get $low)) (f32x4.demote_f64x2_zero (local.get $high))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (br_if $lane (i32.lt_u (local.get $j) (local.get $w)))))

  ;; one step of Adam; `bytes` is a multiple of 16; gradient = scale * g + decay * w
  (func (export "adam")
    (param $bytes i32) (param $w i32) (param $m i32) (param $v i32) (param $g i32)
    (param $scale f32) (param $decay f32) (param $rate f32) (param $beta1 f32) (param $beta2 f32)
    (param $correction f32) (param $epsilon f32)
    (local $j i32) (local $weight v128) (local $gradient v128) (local $first v128) (local $second v128)
    (block $done
      (loop $lane
        (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
        (local.set $weight (v128.load (i32.add (local.get $w) (local.get $j))))
        (local.set $gradient (f32x4.add
          (f32x4.mul (f32x4.splat (local.get $scale)) (v128.load (i32.add (local.get $g) (local.get $j))))
          (f32x4.mul (f32x4.splat (local.get $decay)) (local.get $weight))))
        (local.set $first (f32x4.add
          (f32x4.mul (f32x4.splat (local.get $beta1)) (v128.load (i32.add (local.get $m) (local.get $j))))
          (f32x4.mul (f32x4.splat (f32.sub (f32.const 1) (local.get $beta1))) (local.get $gradient))))
        (local.set $second (f32x4.add
          (f32x4.mul (f32x4.splat (local.get $beta2)) (v128.load (i32.add (local.get $v) (local.get $j))))
          (f32x4.mul (f32x4.splat (f32.sub (f32.const 1) (local.get $beta2)))
            (f32x4.mul (local.get $gradient) (local.get $gradient)))))
        (v128.store (i32.add (local.get $m) (local.get $j)) (local.get $first))
        (v128.store (i32.add (local.get $v) (local.get $j)) (local.get $second))
        (v128.store (i32.add (local.get $w) (local.get $j)) (f32x4.sub (local.get $weight)
          (f32x4.div (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $first))
            (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $second)) (f32x4.splat (local.get $correction)))
              (f32x4.splat (local.get $epsilon))))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br $lane))))

  ;; maxima of windows of one unit; `pooled` windows of `size` steps, `columns` channels
  (func (export "max_pool")
    (param $pooled i32) (param $size i32) (param $columns i32) (param $input i32) (param $out i32)
    (local $w i32) (local $j i32) (local $i i32) (local $at i32) (local $best v128)
    (local.set $w (i32.shl (local.get $columns) (i32.const 2)))
    (block $done
      (loop $window
        (br_if $done (i32.eqz (local.get $pooled)))
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $at (i32.add (local.get $input) (local.get $j)))
          (local.set $best (v128.load (local.get $at)))
          (local.set $i (i32.const 1))
          (block $full
            (loop $step
              (br_if $full (i32.ge_u (local.get $i) (local.get $size)))
              (local.set $at (i32.add (local.get $at) (local.get $w)))
              (local.set $best (f32x4.max (local.get $best) (v128.load (local.get $at))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $step)))
          (v128.store (i32.add (local.get $out) (local.get $j)) (local.get $best))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $input (i32.add (local.get $input) (i32.mul (local.get $w) (local.get $size))))
        (local.set $out (i32.add (local.get $out) (local.get $w)))
        (local.set $pooled (i32.sub (local.get $pooled) (i32.const 1)))
        (br $window))))

  ;; gradient of max_pool: the first maximum of a window gets it, the others get 0
  (func (export "max_pool_backward")
    (param $pooled i32) (param $size i32) (param $columns i32)
    (param $input i32) (param $output i32) (param $gradient i32) (param $target i32)
    (local $w i32) (local $j i32) (local $i i32) (local $at i32)
    (local $best v128) (local $slope v128) (local $open v128) (local $hit v128)
    (local.set $w (i32.shl (local.get $columns) (i32.const 2)))
    (block $done
      (loop $window
        (br_if $done (i32.eqz (local.get $pooled)))
        (local.set $j (i32.const 0))
        (loop $lane
          (local.set $best (v128.load (i32.add (local.get $output) (local.get $j))))
          (local.set $slope (v128.load (i32.add (local.get $gradient) (local.get $j))))
          (local.set $open (v128.const i32x4 -1 -1 -1 -1))
          (local.set $at (local.get $j))
          (local.set $i (i32.const 0))
          (loop $step
            (local.set $hit (v128.and (local.get $open)
              (f32x4.eq (v128.load (i32.add (local.get $input) (local.get $at))) (local.get $best))))
            (local.set $open (v128.andnot (local.get $open) (local.get $hit)))
            (v128.store (i32.add (local.get $target) (local.get $at))
              (v128.and (local.get $slope) (local.get $hit)))
            (local.set $at (i32.add (local.get $at) (local.get $w)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $step (i32.lt_u (local.get $i) (local.get $size))))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
        (local.set $i (i32.mul (local.get $w) (local.get $size)))
        (local.set $input (i32.add (local.get $input) (local.get $i)))
        (local.set $target (i32.add (local.get $target) (local.get $i)))
        (local.set $output (i32.add (local.get $output) (local.get $w)))
        (local.set $gradient (i32.add (local.get $gradient) (local.get $w)))
        (local.set $pooled (i32.sub (local.get $pooled) (i32.const 1)))
        (br $window))))
)
