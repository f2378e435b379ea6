"""Reading a lender's loan tape: rows of any CSV or Parquet file into whole loan histories, by a mapping file."""
