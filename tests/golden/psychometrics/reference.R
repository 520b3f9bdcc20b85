# Figures of psych, GPArotation, lavaan and polycor that tests/golden/test_psychometrics.py
# compares with.
#
#   MHSCREEN_SHARED_DATA=/where/the/public/data/is Rscript tests/golden/psychometrics/reference.R
#
# Writes simulated.csv (answers from a fixed seed, some of them blank), ratings.csv and
# reference.json beside this file. It knows nothing of mhscreen. On file: R 4.2.2, psych 2.2.9,
# GPArotation 2022.10-2, lavaan 0.6-14, polycor 0.8-1 (packages of Debian 12).

suppressPackageStartupMessages({library(psych); library(GPArotation); library(lavaan); library(jsonlite)})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
data_of <- function(...) read.csv(file.path(Sys.getenv("MHSCREEN_SHARED_DATA"), ...))
num <- function(x) unname(as.numeric(x))
rows <- function(m) unname(lapply(seq_len(nrow(m)), function(i) num(m[i, ])))
quietly <- function(value) suppressMessages(suppressWarnings(value))

# -- data ------------------------------------------------------------------------------------------

set.seed(20261126)
n <- 400
f <- matrix(rnorm(3 * n), n) %*% chol(matrix(c(1, .5, .4, .5, 1, .3, .4, .3, 1), 3))
load <- rbind(cbind(c(.8, .7, .6), 0, 0), cbind(0, c(.75, .65, .55), 0), cbind(0, 0, c(.7, .8, .5)))
y <- f %*% t(load) + sapply(sqrt(1 - rowSums(load^2)), function(s) rnorm(n, sd = s))
cuts <- list(c(-1, 0, 1), c(-.5, .5, 1.2), c(0, .8, 1.5))
x <- sapply(1:9, function(j) findInterval(y[, j], cuts[[(j - 1) %% 3 + 1]]))
x[matrix(runif(9 * n) < .03, n)] <- NA
colnames(x) <- paste0("q", 1:9)
write.csv(x, file.path(here, "simulated.csv"), row.names = FALSE, na = "")
true <- rnorm(60, 10, 3)
ratings <- round(cbind(first = true + rnorm(60, 0, 2), second = true + rnorm(60, 1, 2), third = true + rnorm(60, .5, 3)))
write.csv(ratings, file.path(here, "ratings.csv"), row.names = FALSE)

bfi <- data_of("bfi_psych", "bfi.csv")
big <- paste0(rep(c("A", "C", "E", "N", "O"), each = 5), 1:5)
for (i in c("A1", "C4", "C5", "E1", "E2", "O2", "O5")) bfi[[i]] <- 7 - bfi[[i]]
dass <- data_of("dass42_openpsychometrics", "dass42.csv")
depression <- dass[grep("^dass[0-9]+_D$", names(dass))]
hs <- data_of("holzinger_swineford", "hs1939.csv")
sets <- list(
  simulated = as.data.frame(x), bfi_neuroticism = bfi[paste0("N", 1:5)], bfi = bfi[big],
  dass_depression = depression, holzinger = hs[paste0("x", 1:9)]
)

# -- reliability and items -------------------------------------------------------------------------

reliability_of <- function(d) {
  cc <- d[complete.cases(d), ]
  a <- quietly(alpha(cc, check.keys = FALSE, warnings = FALSE))
  pw <- quietly(alpha(d, check.keys = FALSE, warnings = FALSE))
  ci <- alpha.ci(a$total$raw_alpha, nrow(cc), ncol(cc))
  S <- cov(cc)
  # psych splits by all combinations; covar = TRUE keeps the covariances.
  # Of an odd number of items it looks at half of the splits only, so an item is left out.
  even <- cc[seq_len(ncol(cc) %/% 2 * 2)]
  s <- if (ncol(cc) <= 14) quietly(splitHalf(even, covar = TRUE, check.keys = FALSE, brute = TRUE)) else NULL
  one <- quietly(cfa(paste("f =~", paste(names(cc), collapse = "+")), cc, std.lv = TRUE))
  e <- lavInspect(one, "est")
  l <- num(e$lambda); t <- num(diag(e$theta))
  out <- list(
    n = nrow(cc), alpha = a$total$raw_alpha, alpha_standardised = a$total$std.alpha,
    lambda_6_standardised = a$total[["G6(smc)"]],
    feldt = c(ci$lower.ci, ci$upper.ci), alpha_pairwise = pw$total$raw_alpha,
    alpha_standardised_pairwise = pw$total$std.alpha,
    alpha_without = num(a$alpha.drop$raw_alpha), item_rest = num(a$item.stats$r.drop),
    mean = num(pw$item.stats$mean), sd = num(pw$item.stats$sd), answered = num(pw$item.stats$n),
    omega = sum(l)^2 / (sum(l)^2 + sum(t))
  )
  if (!is.null(s)) out$splits <- list(mean = s$meanr, least = s$minrb, most = s$maxrb, lambda_2 = s$lambda2)
  if (ncol(cc) >= 6) {
    o <- quietly(omega(cor(cc), nfactors = 3, plot = FALSE, flip = FALSE))
    out$omega_total <- o$omega.tot
    out$omega_hierarchical_psych <- o$omega_h
    # psych lets the rotation stop early; the same steps with one that goes to its end.
    m <- quietly(fa(cor(cc), 3, rotate = "varimax", fm = "minres"))
    ob <- oblimin(unclass(m$loadings), eps = 1e-8, maxit = 20000)
    above <- unclass(quietly(fa(ob$Phi, fm = "minres"))$loadings)
    general <- ob$loadings %*% above
    out$omega_hierarchical <- sum(general)^2 / sum(cor(cc))
    out$schmid_leiman <- list(general = num(general), uniqueness = num(m$uniquenesses), above = num(above))
  }
  out
}

# -- agreement -------------------------------------------------------------------------------------

icc <- quietly(ICC(ratings, lmer = FALSE))$results
two <- cbind(pmin(pmax(ratings[, 1] %/% 4, 0), 3), pmin(pmax(ratings[, 2] %/% 4, 0), 3))
linear <- 1 - abs(outer(1:4, 1:4, "-")) / 3
k2 <- quietly(cohen.kappa(two))
k1 <- quietly(cohen.kappa(two, w = linear))
agreement <- list(
  icc = list(estimate = num(icc$ICC), low = num(icc$`lower bound`), high = num(icc$`upper bound`)),
  kappa = list(none = k2$kappa, quadratic = k2$weighted.kappa, linear = k1$weighted.kappa,
               variance_none = k2$var.kappa, variance_quadratic = k2$var.weighted)
)

# -- structure -------------------------------------------------------------------------------------

polychoric_of <- function(d) {
  cc <- d[complete.cases(d), ]
  # Thresholds from the margins of all items; options that nobody chose are no categories.
  p <- quietly(polychoric(cc, correct = 0, smooth = FALSE, global = TRUE))
  ml <- sapply(2:4, function(j) {
    h <- polycor::polychor(cc[[1]], cc[[j]], ML = TRUE, std.err = TRUE)
    c(h$rho, sqrt(h$var[1, 1]))
  })
  ordered_items <- cc; ordered_items[] <- lapply(cc, ordered)
  lav <- unclass(lavCor(ordered_items))
  # Resampled forms need no model: what a standard error must come out as, whatever the tables.
  set.seed(7)
  again <- replicate(400, { i <- sample(nrow(cc), replace = TRUE); sapply(2:4, function(j) polycor::polychor(cc[[1]][i], cc[[j]][i])) })
  list(n = nrow(cc), rho = rows(p$rho), tau = rows(p$tau), joint = rows(t(ml)), lavaan = rows(lav),
       resampled_se = apply(again, 1, sd))
}

factors_of <- function(d, nf) {
  cc <- d[complete.cases(d), ]; R <- cor(cc); n <- nrow(cc)
  km <- KMO(R); b <- cortest.bartlett(R, n)
  m <- quietly(fa(R, nf, n.obs = n, rotate = "none", fm = "minres"))
  ml <- quietly(stats::factanal(covmat = R, factors = nf, n.obs = n, rotation = "none", control = list(nstart = 5)))
  oblimin <- quietly(oblimin(unclass(m$loadings), eps = 1e-7, maxit = 5000))
  geomin <- quietly(geominQ(unclass(m$loadings), eps = 1e-7, maxit = 5000))
  vm <- stats::varimax(m$loadings, normalize = TRUE, eps = 1e-12)
  pm <- stats::promax(vm$loadings, m = 4)
  list(n = n, factors = nf, eigenvalues = eigen(R, TRUE)$values, kmo = km$MSA, kmo_items = num(km$MSAi),
       bartlett = c(b$chisq, b$df, b$p.value), minres = rows(unclass(m$loadings)), rmsr = m$rms,
       rmsea = num(m$RMSEA[1]), tli = m$TLI, chisq = m$STATISTIC, dof = m$dof,
       ml_uniqueness = num(ml$uniquenesses), ml_chisq = num(ml$STATISTIC), ml_dof = num(ml$dof),
       oblimin = list(loadings = rows(oblimin$loadings), phi = rows(oblimin$Phi)),
       geomin = list(loadings = rows(geomin$loadings), phi = rows(geomin$Phi)),
       varimax = rows(unclass(vm$loadings)), promax = rows(unclass(pm$loadings)))
}

# -- confirmatory models ---------------------------------------------------------------------------

FIT <- c("chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "cfi", "tli", "rmsea",
         "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "logl", "aic", "bic", "npar")
fit_of <- function(f) as.list(setNames(num(fitMeasures(f, FIT)), FIT))
scaling_of <- function(...) num(fitMeasures(cfa(..., std.lv = TRUE, test = "satorra.bentler"), "chisq.scaling.factor"))
parameters_of <- function(f) {
  u <- parameterEstimates(f); s <- standardizedSolution(f)
  u <- u[u$op %in% c("=~", "~~", "~1"), ]; s <- s[s$op %in% c("=~", "~~", "~1"), ]
  list(lhs = u$lhs, op = u$op, rhs = u$rhs, group = if (is.null(u$group)) rep(1, nrow(u)) else u$group,
       est = num(u$est), se = num(u$se), std = num(s$est.std))
}
model_of <- function(keys) paste(mapply(function(k, i) paste(k, "=~", paste(i, collapse = "+")), names(keys), keys), collapse = "\n")
confirm <- function(keys, d) {
  f <- cfa(model_of(keys), d, std.lv = TRUE)
  list(keys = keys, n = nobs(f), fit = fit_of(f), parameters = parameters_of(f),
       scaling = scaling_of(model_of(keys), d))
}
invariance <- function(keys, d, group) {
  levels <- list(configural = "", metric = "loadings", scalar = c("loadings", "intercepts"),
                 strict = c("loadings", "intercepts", "residuals"))
  fits <- lapply(levels, function(e) cfa(model_of(keys), d, group = group, group.equal = e, std.lv = TRUE))
  list(keys = keys, groups = lavInspect(fits$configural, "group.label"), fits = lapply(fits, fit_of),
       scaling = as.list(sapply(levels, function(e) scaling_of(model_of(keys), d, group = group, group.equal = e))),
       scalar = parameters_of(fits$scalar))
}
tests <- list(visual = paste0("x", 1:3), textual = paste0("x", 4:6), speed = paste0("x", 7:9))
traits <- lapply(setNames(c("A", "C", "E", "N", "O"), c("agree", "conscience", "extra", "neuro", "open")), function(p) paste0(p, 1:5))
sim <- list(f1 = paste0("q", 1:3), f2 = paste0("q", 4:6), f3 = paste0("q", 7:9))
two_sexes <- dass[dass$gender %in% c("Female", "Male"), ]

complete <- function(d, keys) d[complete.cases(d[unlist(keys)]), ]
out <- list(
  `_about` = list(made_by = "tests/golden/psychometrics/reference.R", R = R.version.string,
    packages = as.list(sapply(c("psych", "GPArotation", "lavaan", "polycor"), function(p) as.character(packageVersion(p))))),
  reliability = lapply(sets, reliability_of),
  agreement = agreement,
  polychoric = lapply(sets[c("simulated", "bfi_neuroticism", "dass_depression")], polychoric_of),
  factors = list(simulated = factors_of(sets$simulated, 3), bfi = factors_of(sets$bfi, 5), holzinger = factors_of(sets$holzinger, 3), dass_depression = factors_of(sets$dass_depression, 2)),
  confirm = list(
    holzinger = confirm(tests, hs), bfi = confirm(traits, complete(bfi, traits)), simulated = confirm(sim, complete(as.data.frame(x), sim)),
    one_factor = confirm(list(d = names(depression)), depression)
  ),
  invariance = list(
    holzinger = invariance(tests, hs, "school"),
    dass_by_gender = invariance(list(d = names(depression)), two_sexes, "gender")
  )
)
file <- file.path(here, "reference.json")
writeLines(toJSON(out, auto_unbox = TRUE, digits = 10, na = "null", null = "null"), file)
cat(file, file.size(file), "bytes\n")
