/** Why a sweep leaves alone what is younger than the age that it was told. */
export const YOUNG = 'it is younger than --min-age and may still be being deployed'
