-- A scorer in SQL, for DuckDB: GAD-7. It reads inputs.csv and writes results.csv.
--
--   duckdb < score.sql

create table item_answers as
with cells as (
  unpivot (select * from read_csv('inputs.csv', all_varchar = true, header = true))
  on columns('^q[1-7]$') into name item value cell
)
-- Unpivot drops blanks: they are counted as seven less what was answered.
select vector, item, cast(cell as integer) as answer
from cells
where regexp_full_match(cell, '[0-3]');

copy (
  with vectors as (
    select vector from read_csv('inputs.csv', all_varchar = true, header = true)
  ),
  sums as (
    select
      vector,
      count(answer) as answered,
      coalesce(sum(answer), 0) as least,
      coalesce(sum(answer), 0) + 3 * (7 - count(answer)) as most
    from vectors left join item_answers using (vector)
    group by vector
  ),
  bands as (
    select
      *,
      (least >= 5)::integer + (least >= 10)::integer + (least >= 15)::integer as first_band,
      (most >= 5)::integer + (most >= 10)::integer + (most >= 15)::integer as last_band
    from sums
  )
  select
    vector,
    case when answered = 7 then least end as total,
    case
      when answered = 7 then ['minimal', 'mild', 'moderate', 'severe'][first_band + 1]
    end as "total.category"
  from bands
  order by vector
) to 'results.csv' (header true);
