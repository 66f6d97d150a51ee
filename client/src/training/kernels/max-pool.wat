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
